/**
 * JSON in which every character that a terminal would act on is an escape: JSON.stringify leaves DEL, C1, line separators and the
 * controls of writing direction as they are. Another spelling of the same document.
 */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(ACTED_ON, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const ACTED_ON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A long list that is the last member of a document. */
export interface LongList<T> {
  readonly head: object;
  readonly name: string;
  readonly items: readonly T[];
  readonly describe: (item: T) => unknown;
}

/** A document in pieces that each end a line, so that fifty thousand items are never one string. */
export function* jsonWithList<T>({ head, name, items, describe }: LongList<T>): Generator<string> {
  const opening = safeJson({ ...head, [name]: [] }, 2).slice(0, -'[]\n}'.length);
  if (items.length === 0) return yield `${opening}[]\n}\n`;
  yield `${opening}[\n`;
  for (let from = 0; from < items.length; from += PIECE) {
    const piece = items.slice(from, from + PIECE).map((item) => indented(safeJson(describe(item), 2)));
    yield `${piece.join(',\n')}${from + PIECE < items.length ? ',' : ''}\n`;
  }
  yield '  ]\n}\n';
}

/** Items in one piece. */
export const PIECE = 500;

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
