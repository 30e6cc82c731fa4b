import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeKeyText, encodeKeyText, escapeText } from '../../src/store/untrusted-text.ts';

test('writes out what a terminal would act on', () => {
  expect(escapeText('a\u001b[2J\nb\u202e')).toBe('a\\u001b[2J\\u000ab\\u202e');
});

test('cuts long text to its limit', () => {
  expect(escapeText('x'.repeat(500))).toHaveLength(200);
});

test('names any key so that it can be found again', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeKeyText(encodeKeyText(bytes)).equals(bytes)));
});

test('leaves an ordinary key as it is', () => {
  expect(encodeKeyText(Buffer.from('10.5.52.0-24&fc00::-64'))).toBe('10.5.52.0-24&fc00::-64');
});
