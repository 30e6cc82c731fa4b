const PLAIN = /^(!|[\w@%+=:,./-]+)$/;

/** A word as a POSIX shell must be given it, in a command line for a person: paths, comments and flags are written by anybody. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
