import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Variables by which Node reads data or writes files where its environment says, and which no option switches off. A tool
 * that runs as root obeys none of them: what the executable looks for instead is never set.
 */
const OBEYED_BY_NODE = [
  'NODE_COMPILE_CACHE',
  'NODE_V8_COVERAGE',
  'NODE_REDIRECT_WARNINGS',
  'NODE_ICU_DATA',
  'NODE_EXTRA_CA_CERTS',
] as const;

/** Renames them in a copy of Node, byte for byte. @throws {Error} when one is not found: Node has changed. */
export function deafenToEnvironment(node: string): void {
  const bytes = readFileSync(node);
  for (const name of OBEYED_BY_NODE) rename(bytes, name);
  writeFileSync(node, bytes);
}

/** Only where it stands as a whole C string: the sources that Node carries of its own modules mention it too. */
function rename(bytes: Buffer, name: string): void {
  const text = Buffer.from(`\0${name}\0`, 'latin1');
  const positions = occurrences(bytes, text);
  if (positions.length === 0) throw new Error(`Node does not hold the string ${name} any more`);
  for (const position of positions) bytes.write('_', position + 1, 'latin1');
}

function occurrences(bytes: Buffer, text: Buffer): readonly number[] {
  const positions: number[] = [];
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) positions.push(at);
  return positions;
}
