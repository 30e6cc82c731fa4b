/** Members of a JSON object as Go's encoding/json matches them to a struct: names without case, the last one in the text wins. */
export type GoMembers = ReadonlyMap<string, string>;

export type GoObject = { readonly members: GoMembers } | { readonly problem: string };

/**
 * Reads one JSON object; the values stay JSON text, because Go decides by their spelling (`24.0` is no integer).
 * `JSON.parse` alone cannot tell which of `network` and `Network` came last.
 */
export function readGoObject(text: string): GoObject {
  const parsed = parseJson(text);
  if ('problem' in parsed) return parsed;
  const { value } = parsed;
  if (value === null) return { members: new Map() };
  if (typeof value !== 'object' || Array.isArray(value)) return { problem: `it is ${kindOf(value)}, not an object` };
  return { members: plainMembers(value, text) ?? splitMembers(text) };
}

/** A text that comes out again as it was has no name twice and every value in its own spelling: so flannel writes its leases. */
function plainMembers(value: object, text: string): GoMembers | undefined {
  const entries = Object.entries(value).map(([name, member]) => [name, JSON.stringify(member)] as const);
  const again = entries.map(([name, member]) => `${JSON.stringify(name)}:${member}`).join(',');
  if (`{${again}}` !== text) return undefined;
  return new Map(entries.map(([name, member]) => [foldName(name), member]));
}

export type ParsedJson = { readonly value: unknown } | { readonly problem: string };

export function parseJson(text: string): ParsedJson {
  if (text.length > SHALLOW_LENGTH && depthOf(text) > MAX_DEPTH) return { problem: 'it is nested too deeply' };
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'it is not JSON' };
    throw error;
  }
}

/** What flannel writes is nested four deep; Go gives up at 10,000, and we on the way: whoever walks such a value overflows his stack. */
const MAX_DEPTH = 100;
/** A text not longer than that cannot be nested deep enough to matter. */
const SHALLOW_LENGTH = 2000;

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const { token } of tokensOf(text)) {
    if (token === '{' || token === '[') deepest = Math.max(deepest, ++depth);
    else if (token === '}' || token === ']') depth -= 1;
  }
  return deepest;
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

interface Token {
  readonly token: string;
  readonly index: number;
}

const PUNCTUATION = '{}[],:';

/** By hand: a regular expression overflows its stack in a string of some megabytes. */
function* tokensOf(text: string): Generator<Token> {
  for (let index = 0; index < text.length; ) {
    const end = endOfToken(text, index);
    if (end > index) yield { token: text.slice(index, end), index };
    index = Math.max(end, index + 1);
  }
}

/** `index` itself for white space. */
function endOfToken(text: string, index: number): number {
  if (text[index] === '"') return endOfString(text, index);
  if (PUNCTUATION.includes(text[index] ?? '')) return index + 1;
  let end = index;
  while (end < text.length && !/[\s{}[\],:"]/.test(text[end] ?? '')) end += 1;
  return end;
}

/** Behind the closing quote: one with an even number of backslashes in front of it. */
function endOfString(text: string, opening: number): number {
  for (let from = opening + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

/** Only for text that JSON.parse has taken as an object. */
function splitMembers(text: string): GoMembers {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let start = 0;
  for (const { token, index } of tokensOf(text)) {
    const opens = token === '{' || token === '[';
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    if (name !== undefined && ((closes && depth === 0) || (token === ',' && depth === 1))) {
      members.set(name, text.slice(start, index).trim());
      name = undefined;
    } else if (depth === 1 && name === undefined && token.startsWith('"')) {
      name = foldName(JSON.parse(token));
    } else if (depth === 1 && token === ':') {
      start = index + 1;
    }
    if (opens) depth += 1;
  }
  return members;
}

function foldName(name: unknown): string {
  return String(name).toLowerCase();
}
