import { dump } from 'js-yaml';
import { type LongList, PIECE } from './safe-json.ts';

/** One YAML document. Strings with characters that a terminal would act on come out quoted and escaped. */
export function renderYaml(document: unknown): string {
  return dump(document, { lineWidth: -1, noRefs: true });
}

/** A document in pieces that each end a line. */
export function* yamlWithList<T>({ head, name, items, describe }: LongList<T>): Generator<string> {
  yield renderYaml(head);
  if (items.length === 0) return yield `${name}: []\n`;
  yield `${name}:\n`;
  for (let from = 0; from < items.length; from += PIECE)
    yield renderYaml(items.slice(from, from + PIECE).map(describe));
}
