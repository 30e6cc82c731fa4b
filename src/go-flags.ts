import { UsageError } from './errors.ts';
import { parseGoBoolean } from './facts/flanneld-flags.ts';

/** The flags of a command, as far as Go's syntax has to know them. */
export interface KnownFlag {
  readonly type: 'boolean' | 'option';
  readonly allowNo?: boolean;
  readonly multiple?: boolean;
}

type KnownFlags = Readonly<Record<string, KnownFlag>>;

/** klog's flags that flanneld takes besides `-v`; they name lines of its own source. */
const OF_THE_SOURCE = new Set(['vmodule', 'log_backtrace_at']);

/**
 * Rewrites flags in Go's syntax into ours: one dash or two (`-iface=eth0`), booleans with a value (`--ip-masq=true`), the last of several
 * values counts, klog's `-v=2`. What it does not know stays as it is, for the parser to complain about.
 *
 * @throws {UsageError} for a boolean that is neither true nor false.
 */
export function fromGoFlags(argv: readonly string[], known: KnownFlags): readonly string[] {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const given: Given[] = [];
  for (let at = 0; at < flags.length; ) {
    const next = fromGoFlag(flags.slice(at, at + 2), known);
    given.push(next);
    at += next.taken;
  }
  return [...lastOnly(given, known), ...(end === -1 ? [] : argv.slice(end))];
}

interface Given {
  /** Empty: no flag that is known. */
  readonly name: string;
  /** In our syntax. */
  readonly words: readonly string[];
  /** Words of the command line that it takes up. */
  readonly taken: number;
}

const FLAG = /^(--?)([a-z][a-z0-9_-]*)(?:=(.*))?$/s;

/** The flag at the beginning of these words; the second one may be its value. */
function fromGoFlag([word = '', after]: readonly string[], known: KnownFlags): Given {
  const [, dashes = '', name = '', value] = FLAG.exec(word) ?? [];
  if (name === 'v') return logLevel(word, value, after);
  if (OF_THE_SOURCE.has(name)) return { name, words: [], taken: value === undefined ? 2 : 1 };
  const flag = known[name];
  // A single letter behind one dash is ours: `-o json`.
  if (flag === undefined || (name.length === 1 && dashes === '-')) return { name: '', words: [word], taken: 1 };
  if (flag.type === 'boolean') return { name, words: booleanWords({ word, name, value, flag }), taken: 1 };
  if (value !== undefined) return { name, words: [`--${name}=${value}`], taken: 1 };
  if (after === undefined || /^-\D/.test(after)) return { name, words: [`--${name}`], taken: 1 };
  return { name, words: [`--${name}=${after}`], taken: 2 };
}

/** `-v` alone is ours, too. */
function logLevel(word: string, value: string | undefined, after: string | undefined): Given {
  const isApart = value === undefined && after !== undefined && /^\d+$/.test(after);
  const level = isApart ? after : value;
  if (level === undefined || !/^\d+$/.test(level)) return { name: '', words: [word], taken: 1 };
  return { name: 'verbose', words: Number(level) === 0 ? [] : ['--verbose'], taken: isApart ? 2 : 1 };
}

interface BooleanWord {
  readonly word: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly flag: KnownFlag;
}

function booleanWords({ word, name, value = 'true', flag }: BooleanWord): readonly string[] {
  const isOn = parseGoBoolean(value);
  if (isOn === undefined) throw new UsageError(`${word} is neither true nor false`);
  if (isOn) return [`--${name}`];
  return flag.allowNo === true ? [`--no-${name}`] : [];
}

/** Our parser refuses a second value; Go's takes it. */
function lastOnly(given: readonly Given[], known: KnownFlags): readonly string[] {
  const last = new Map(given.map(({ name }, at) => [name, at]));
  return given
    .filter(({ name }, at) => name === '' || known[name]?.multiple === true || last.get(name) === at)
    .flatMap(({ words }) => words);
}
