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
  return { members: splitMembers(text) };
}

export type ParsedJson = { readonly value: unknown } | { readonly problem: string };

export function parseJson(text: string): ParsedJson {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'it is not JSON' };
    throw error;
  }
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Only for text that JSON.parse has taken as an object. */
function splitMembers(text: string): GoMembers {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
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
