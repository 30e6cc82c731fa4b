import { dump } from 'js-yaml';
import { printable } from './printable.ts';
import { type LongList, PIECE } from './safe-json.ts';

/** One YAML document. What a terminal would act on is written as `\u202e`: YAML itself takes such characters for printable. */
export function renderYaml(document: unknown): string {
  return dump(harmless(document), { lineWidth: -1, noRefs: true });
}

function harmless(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(harmless);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [printable(name), harmless(member)]));
}

/** A document in pieces that each end a line. */
export function* yamlWithList<T>({ head, name, items, describe }: LongList<T>): Generator<string> {
  yield renderYaml(head);
  if (items.length === 0) return yield `${name}: []\n`;
  yield `${name}:\n`;
  for (let from = 0; from < items.length; from += PIECE)
    yield renderYaml(items.slice(from, from + PIECE).map(describe));
}
