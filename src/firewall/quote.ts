const PLAIN = /^[A-Za-z0-9_@%+=:,./!-]+$/;

/** A word as a POSIX shell must be given it: rule comments and set names are written by anybody. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Control characters as \xNN, at most 300 characters. */
export function printable(text: string): string {
  const shown = text.replace(
    /[\p{Cc}\p{Cf}]/gu,
    (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
  return shown.length > 300 ? `${shown.slice(0, 299)}…` : shown;
}
