import { describe, expect, it } from 'vitest';
import { SENTENCES } from '../../src/doctor/chinese-sentences.ts';
import { inChinese, tellQuoting } from '../../src/doctor/in-chinese.ts';

describe('a sentence of a fact', () => {
  it('is told in Chinese with its own names in their places', () => {
    expect(inChinese('etcd http://10.0.0.1:2379 did not answer within 3.5 s')).toBe(
      'etcd http://10.0.0.1:2379 在 3.5 s 内没有应答',
    );
  });

  it('is told with what it passes on', () => {
    expect(inChinese('collecting own-lease failed: /etc/x does not exist')).toBe('读取 own-lease 失败：/etc/x 不存在');
  });

  it('is told endpoint by endpoint', () => {
    expect(inChinese('etcd a:1 refused the connection; etcd b:1 has no route from here')).toBe(
      'etcd a:1 拒绝了连接；从本机没有到 etcd b:1 的路由',
    );
  });

  it('is told with its source behind it', () => {
    expect(inChinese('the network configuration does not parse: it is not JSON (/run/store)')).toBe(
      '网络配置无法解析：它不是 JSON（/run/store）',
    );
  });

  it('stays as it is when nobody has translated it', () => {
    expect(inChinese('something new happened')).toBe('something new happened');
  });

  it('is told where a sentence of a check quotes it', () => {
    expect(tellQuoting('无法解析：it is not JSON', 'zh')).toBe('无法解析：它不是 JSON');
    expect(tellQuoting('it is not JSON', 'en')).toBe('it is not JSON');
  });

  it.each(SENTENCES)('"%s" keeps all that varies', (en, zh) => {
    const places = en
      .split('{}')
      .slice(1)
      .map((_, at) => `{${at + 1}}`);
    expect([...zh.matchAll(/\{\d\}/g)].map(([place]) => place).sort()).toEqual(places);
  });
});
