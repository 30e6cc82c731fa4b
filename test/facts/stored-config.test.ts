import { expect, test } from 'vitest';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import { ownAllocationFact } from '../../src/facts/etcd.ts';
import {
  configElsewhereFact,
  parsedConfigFact,
  storedConfigFact,
  v2ConfigFact,
} from '../../src/facts/stored-config.ts';
import { configContext } from '../support/config-context.ts';

const GOOD = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';

test('a configuration that is not there is absent', async () => {
  await expect(storedConfigFact.collect(configContext({ text: null }))).rejects.toMatchObject({ code: 'absent' });
});

test('a CA file that is not there is no missing configuration', async () => {
  const failure = new AbsentError('/etc/etcd/ca.pem does not exist');
  await expect(storedConfigFact.collect(configContext({ text: null, failure }))).rejects.toMatchObject({
    reason: 'unreachable',
    message: 'etcd cannot be asked: /etc/etcd/ca.pem does not exist',
  });
});

test('what etcd refuses stays what it is', async () => {
  const failure = new UnavailableError('permission', 'etcd wants a user');
  await expect(storedConfigFact.collect(configContext({ text: null, failure }))).rejects.toBe(failure);
});

test('a document that flannel refuses is stored, and is not parsed', async () => {
  const context = configContext({ text: '{' });
  expect(await storedConfigFact.collect(context)).toMatchObject({ text: '{', refusal: expect.any(String) });
  await expect(parsedConfigFact.collect(context)).rejects.toMatchObject({
    reason: 'malformed',
    message: expect.stringContaining('etcdctl get /coreos.com/network/config'),
  });
});

test('the v2 API is asked only where the v3 API has nothing', async () => {
  const found = { kind: 'found', endpoint: 'http://10.0.0.1:2379', config: GOOD } as const;
  const health = { v2Config: async () => found };
  expect(await v2ConfigFact.collect(configContext({ text: GOOD, health }))).toEqual({ kind: 'not-asked' });
  expect(await v2ConfigFact.collect(configContext({ text: null, health }))).toEqual(found);
});

test('no key is looked at twice where the slash in front is missing', async () => {
  const asked: string[] = [];
  const existing = async (keys: readonly string[]) => {
    asked.push(...keys);
    return [];
  };
  const scene = { text: null, prefix: 'coreos.com/network', health: { existing } };
  expect(await configElsewhereFact.collect(configContext(scene))).toEqual([]);
  expect(asked).toContain('/coreos.com/network/config');
  expect(asked).toEqual([...new Set(asked)]);
});

test('a handful of keys is looked at, none of them the one that is missing', async () => {
  const asked: string[] = [];
  const existing = async (keys: readonly string[]) => {
    asked.push(...keys);
    return keys.filter((key) => key === 'coreos.com/network/config');
  };
  const found = await configElsewhereFact.collect(configContext({ text: null, health: { existing } }));
  expect(found).toEqual(['coreos.com/network/config']);
  expect(asked).not.toContain('/coreos.com/network/config');
  expect(asked.length).toBeLessThan(10);
});

test.each([
  ['etcd', { kind: 'etcd', prefix: '/coreos.com/network' }],
  ['file', { kind: 'file', prefix: null }],
] as const)('flannel gives the subnets itself from %s', async (kind, value) => {
  expect(await ownAllocationFact.collect(configContext({ text: GOOD, kind }))).toEqual(value);
});

test('flannel gives no subnets where Kubernetes does', async () => {
  const context = configContext({ text: GOOD, kind: 'kube' });
  await expect(ownAllocationFact.collect(context)).rejects.toMatchObject({ code: 'absent' });
});
