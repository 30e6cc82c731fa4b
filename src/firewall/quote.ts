/** Control characters as \xNN, at most 300 characters. */
export function printable(text: string): string {
  const shown = text.replace(
    /[\p{Cc}\p{Cf}]/gu,
    (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
  return shown.length > 300 ? `${shown.slice(0, 299)}…` : shown;
}
