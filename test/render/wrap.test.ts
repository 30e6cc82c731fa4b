import { describe, expect, it } from 'vitest';
import { widthOf } from '../../src/render/width.ts';
import { wrap } from '../../src/render/wrap.ts';

const shape = { columns: 40, first: '* ', next: '  ' };

describe('a paragraph', () => {
  it('is broken between words, under its first one', () => {
    expect(wrap('10.244.2.0/24 answers on the underlay but not over the overlay', shape)).toEqual([
      '* 10.244.2.0/24 answers on the underlay',
      '  but not over the overlay',
    ]);
  });

  it('keeps whole what is longer than a line', () => {
    const path = `/var/lib/${'x'.repeat(60)}`;
    expect(wrap(`see ${path} there`, shape)).toEqual(['* see', `  ${path}`, '  there']);
  });

  it('is broken between Chinese characters, never in front of punctuation', () => {
    const lines = wrap('在底层网络上有应答，但经覆盖网络没有应答：报文能到达，但应答没有经隧道返回。', shape);
    expect(lines.map(widthOf).filter((width) => width > 40)).toEqual([]);
    expect(lines.filter((line) => /^\s*[，。：]/.test(line))).toEqual([]);
  });

  it('loses nothing', () => {
    const text = 'flannel.1 的 mtu 是 1500，not 1450, which 丢弃 large packets';
    expect(wrap(text, shape).join('').replace(/\s/g, '')).toBe(`*${text}`.replace(/\s/g, ''));
  });

  it('of no words is one empty line', () => {
    expect(wrap('', { columns: 40, first: '', next: '' })).toEqual(['']);
  });
});
