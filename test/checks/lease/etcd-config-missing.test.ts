import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-config-missing.ts';
import type { Observed } from '../../../src/facts/fact.ts';
import { aFinding } from '../../support/checks.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const gone: Facts['stored'] = { status: 'absent', detail: 'etcd http://10.0.0.1:2379 has no network configuration' };
const datastore = { kind: 'etcd', prefix: '/coreos.com/network' } as const;
const none: Observed<readonly string[]> = { status: 'known', value: [] };

function summaryOf(parts: Partial<Facts>) {
  const [finding] = check.evaluate({ datastore, stored: gone, elsewhere: none, ...parts });
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

describe('etcd-config-missing', () => {
  it('holds where a configuration is stored, be it as it may', () => {
    const stored: Facts['stored'] = {
      status: 'known',
      value: { kind: 'etcd', text: '{', excerpt: '{', source: 'etcdctl get /x', refusal: 'it is not JSON', hints: [] },
    };
    expect(check.evaluate({ datastore, stored, elsewhere: none })).toEqual([]);
  });

  it('finds an etcd without one, and says where flannel looks', () => {
    expect(summaryOf({})).toBe('there is no network configuration at /coreos.com/network/config');
    expect(check.evaluate({ datastore, stored: gone, elsewhere: none })).toMatchObject([
      {
        about: ['node'],
        evidence: [
          {
            what: '/coreos.com/network/config',
            observed: gone.detail,
            source: 'etcdctl get /coreos.com/network/config',
          },
        ],
        remedy: { automatic: 'no', commands: [expect.any(String), 'flannelctl config set net-conf.json'] },
      },
    ]);
  });

  it('names a key that looks like it', () => {
    const elsewhere: Facts['elsewhere'] = { status: 'known', value: ['/flannel/network/config'] };
    expect(summaryOf({ elsewhere })).toContain(', but one at /flannel/network/config');
  });

  it('is found also where nobody could look elsewhere', () => {
    const elsewhere: Facts['elsewhere'] = { status: 'unknown', reason: 'timeout', detail: 'too late' };
    expect(summaryOf({ elsewhere })).toBe('there is no network configuration at /coreos.com/network/config');
  });

  it('follows from data that were written with the v2 API', () => {
    const [own] = check.evaluate({ datastore, stored: gone, elsewhere: none });
    const edge = check.causedBy?.find(({ id }) => id === 'etcd-v2-data');
    if (own === undefined) throw new Error('nothing was found');
    expect(edge?.because(aFinding('node'), own)?.en).toContain('v2 API');
  });

  it('does not apply to Kubernetes, which has no such key', () => {
    expect(Object.keys(check.needs)).toContain('datastore');
    expect(check.needs.datastore.absence).toEqual({ normal: 'the subnets are given by Kubernetes' });
  });
});
