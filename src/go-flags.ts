/** The flags of a command, as far as Go's syntax has to know them. */
export interface KnownFlag {
  readonly type: 'boolean' | 'option';
  readonly allowNo?: boolean;
}

/** Go's flag package takes these for booleans (strconv.ParseBool). */
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Rewrites flags in Go's syntax into ours: one dash or two (`-iface=eth0`), booleans with a value (`--ip-masq=true`), klog's `-v=2`.
 * What it does not know stays as it is, for the parser to complain about.
 */
export function fromGoFlags(argv: readonly string[], known: Readonly<Record<string, KnownFlag>>): readonly string[] {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  return [...flags.flatMap((word) => fromGoFlag(word, known)), ...(end === -1 ? [] : argv.slice(end))];
}

function fromGoFlag(word: string, known: Readonly<Record<string, KnownFlag>>): readonly string[] {
  const level = /^--?v=(\d+)$/.exec(word)?.[1];
  if (level !== undefined) return level === '0' ? [] : ['--verbose'];
  const [, dashes = '', name = '', value] = /^(--?)([a-z][a-z0-9-]+)(?:=(.*))?$/s.exec(word) ?? [];
  const flag = known[name];
  if (flag === undefined) return [word];
  if (flag.type === 'option')
    return dashes === '-' || value !== undefined ? [`--${name}${value === undefined ? '' : `=${value}`}`] : [word];
  if (value === undefined || TRUE.has(value)) return [`--${name}`];
  if (!FALSE.has(value)) return [word];
  return flag.allowNo === true ? [`--no-${name}`] : [];
}
