import { describe, expect, it } from 'vitest';
import { nameEn, nameZh, peersHave } from '../../src/dataplane/naming.ts';

const SEVEN = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe('naming', () => {
  it('names all of five', () => {
    expect(nameEn(SEVEN.slice(0, 5))).toBe('a, b, c, d, e');
  });

  it('names five of seven and counts the rest', () => {
    expect([nameEn(SEVEN), nameZh(SEVEN)]).toEqual(['a, b, c, d, e and 2 more', 'a、b、c、d、e，另有 2 个']);
  });

  it('names each once', () => {
    expect(nameEn(['a', 'b', 'a'])).toBe('a, b');
  });

  it('counts a peer with two families once', () => {
    expect([peersHave(['a', 'a']), peersHave(['a', 'b'])]).toEqual(['1 peer has', '2 peers have']);
  });
});
