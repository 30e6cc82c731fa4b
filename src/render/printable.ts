/** Text from outside as one harmless line: control characters and line separators become escapes, so that no value can paint the terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// C0, DEL, C1, line and paragraph separators, and the bidirectional overrides that can make a line read as another.
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
