import { bitsOf, makeCidr, nthAddress, numberOf, parseCidr } from '../net/cidr.ts';
import { isObject, numberAt, only, textAt } from './json.ts';
import type { Element, Pattern } from './ruleset.ts';

/** Elements of a named or anonymous set; `undefined` when one of them is of no known form. */
export function parseElements(values: readonly unknown[]): readonly Element[] | undefined {
  const elements = values.map(parseElement);
  return elements.every((element) => element !== undefined) ? elements : undefined;
}

/** One pattern for each part; `undefined` for a form that is not known. */
export function parseElement(value: unknown): Element | undefined {
  const [name, body] = only(value) ?? [];
  if (name === 'elem') return isObject(body) ? parseElement(body['val']) : parseElement(body);
  if (name === 'concat' && Array.isArray(body)) return body.map(parsePattern).reduce(join, []);
  const pattern = parsePattern(value);
  return pattern === undefined ? undefined : [pattern];
}

function join(element: Element | undefined, pattern: Pattern | undefined): Element | undefined {
  return element === undefined || pattern === undefined ? undefined : [...element, pattern];
}

function parsePattern(value: unknown): Pattern | undefined {
  if (typeof value === 'number') return { kind: 'text', text: String(value) };
  if (typeof value === 'string') return parseText(value);
  const [name, body] = only(value) ?? [];
  if (name === 'range' && Array.isArray(body)) return parseRange(body[0], body[1]);
  if (name === 'prefix' && isObject(body)) return parsePrefix(textAt(body, 'addr') ?? '', numberAt(body, 'len') ?? -1);
  return undefined;
}

function parseText(text: string): Pattern {
  if (text === '*') return { kind: 'any' };
  if (text.endsWith('\\*')) return { kind: 'text', text: `${text.slice(0, -2)}*` };
  return text.endsWith('*') ? { kind: 'prefix', text: text.slice(0, -1) } : { kind: 'text', text };
}

function parseRange(from: unknown, to: unknown): Pattern | undefined {
  if (!isScalar(from) || !isScalar(to)) return undefined;
  return { kind: 'range', from: String(from), to: String(to) };
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** `ADDRESS/LENGTH` as the range it stands for. */
export function parsePrefix(address: string, length: number): Pattern | undefined {
  const cidr = parseCidr(`${address}/${length}`);
  if (cidr === undefined) return undefined;
  const size = 1n << BigInt(bitsOf(cidr.family) - length);
  const last = makeCidr(cidr.family, numberOf(cidr) + size - 1n, bitsOf(cidr.family));
  return { kind: 'range', from: nthAddress(cidr, 0), to: last.address };
}
