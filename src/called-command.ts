import { UsageError } from './errors.ts';
import { nearest } from './nearest.ts';

/** What the words in front of a command line name. */
export type Called =
  | { readonly kind: 'command'; readonly id: string; readonly argv: readonly string[] }
  /** A group of commands, or nothing at all: help is shown. */
  | { readonly kind: 'topic' };

/**
 * Finds the command by its words; `ids` are separated by colons: `leases:list`. What follows is the command's own.
 * @throws {UsageError} when the words name no command and no topic.
 */
export function calledCommand(argv: readonly string[], ids: readonly string[]): Called {
  const [first] = argv;
  if (first?.startsWith('-')) throw new UsageError(`${shown(first)} stands before the command`, { hint: FLAGS_BEHIND });
  const words = firstWords(argv);
  const id = words.map((_word, at) => words.slice(0, words.length - at).join(':')).find((one) => ids.includes(one));
  if (id !== undefined) return { kind: 'command', id, argv: argv.slice(id.split(':').length) };
  if (words.length === 0 || ids.some((other) => other.startsWith(`${words.join(':')}:`))) return { kind: 'topic' };
  throw unknown(words.slice(0, 2), ids);
}

const FLAGS_BEHIND = 'Write flags behind the command: flannelctl doctor --debug.';

function firstWords(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((word) => word.startsWith('-'));
  return end === -1 ? argv : argv.slice(0, end);
}

/** The second word is named only where the first one is a topic. */
function unknown(words: readonly string[], ids: readonly string[]): UsageError {
  const isTopic = ids.some((id) => id.startsWith(`${words[0]}:`));
  const named = isTopic ? words : words.slice(0, 1);
  const topics = ids.flatMap((id) => (id.includes(':') ? [id.slice(0, id.lastIndexOf(':'))] : []));
  const meant = nearest(shown(named.join(':')), [...ids, ...topics])?.replaceAll(':', ' ');
  const all = `flannelctl ${isTopic ? `${words[0]} ` : ''}--help`;
  const hint = meant === undefined ? `See ${all}.` : `Did you mean "flannelctl ${meant}"? See ${all}.`;
  return new UsageError(`"${named.map(shown).join(' ')}" is no command of flannelctl`, { hint });
}

/** A word can be as long as the kernel lets it be. */
function shown(word: string): string {
  return word.length > 60 ? `${word.slice(0, 60)}…` : word;
}
