/** Characters that move a cursor, end a line or reorder text on a terminal: C0, DEL, C1, line separators, bidi controls. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]/gu;

/** Text from outside as it may be shown: at most `limit` characters, what a terminal would act on written as `\u001b`. */
export function escapeText(text: string, limit = 200): string {
  const head = text.length > limit ? `${text.slice(0, limit)}…` : text;
  const escaped = head.replace(UNPRINTABLE, toEscape);
  return escaped.length > limit ? `${escaped.slice(0, limit - 1)}…` : escaped;
}

/** Bytes of a key as text without loss: printable ASCII stands for itself, a backslash is doubled, the rest is `\xNN`. */
export function encodeKeyText(bytes: Uint8Array): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('latin1');
  return PLAIN_KEY.test(text) ? text : Array.from(bytes, encodeByte).join('');
}

/** Printable ASCII without a backslash: nothing to encode. */
const PLAIN_KEY = /^[ -[\]-~]*$/;

/** The bytes that {@link encodeKeyText} wrote as `text`. */
export function decodeKeyText(text: string): Buffer {
  const bytes = latin1OfKeyText(text);
  return Buffer.from(bytes, 'latin1');
}

/** The same bytes as a string of one character each. */
export function latin1OfKeyText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:\\|x([0-9a-f]{2}))/g, (_, hex: string | undefined) =>
    hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function encodeByte(byte: number): string {
  if (byte === 0x5c) return '\\\\';
  return byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
