import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGoObject } from '../../src/store/go-json.ts';

function membersOf(text: string): Readonly<Record<string, string>> | undefined {
  const object = readGoObject(text);
  return 'members' in object ? Object.fromEntries(object.members) : undefined;
}

describe('a JSON object as Go reads it', () => {
  it('has its values in their own spelling, however it is laid out', () => {
    expect(membersOf('{ "A" : 24.0 ,\n "b":[1, {"c": "}"}], "q": "x\\"y\\\\" }')).toEqual({
      ...{ a: '24.0', b: '[1, {"c": "}"}]', q: '"x\\"y\\\\"' },
    });
  });

  it('takes the last of two names that differ in case alone', () => {
    expect(membersOf('{"Network":1,"network":2}')).toEqual({ network: '2' });
  });

  it('reads the same from a compact text and from one with blanks', () => {
    const names = fc.string().filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (value) => {
        const compact = JSON.stringify(value);
        const parsed = (text: string) =>
          Object.entries(membersOf(text) ?? {}).map(([name, raw]) => [name, JSON.parse(raw)]);
        expect(parsed(` ${compact}`)).toEqual(parsed(compact));
      }),
    );
  });

  it.each([
    ['letters', 'x'.repeat(10 << 20)],
    ['escapes', '\\n'.repeat(5 << 20)],
    ['backslashes', '\\\\'.repeat(5 << 20)],
  ])('stands a string of 10 MB: %s', (_, long) => {
    expect(Object.keys(membersOf(`{ "a": "${long}", "b": 1 }`) ?? {})).toEqual(['a', 'b']);
  });
});
