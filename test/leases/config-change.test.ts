import { describe, expect, it } from 'vitest';
import { configDifferences, strandedBy } from '../../src/leases/config-change.ts';
import { configWarnings } from '../../src/leases/config-warnings.ts';
import { checkNetworkConfig, parseNetworkConfig } from '../../src/store/config.ts';
import { lease, malformed } from './builders.ts';

const configOf = (members: object) =>
  checkNetworkConfig(parseNetworkConfig(JSON.stringify({ Backend: { Type: 'vxlan' }, ...members })).config).config;
const WIDE = configOf({ Network: '10.244.0.0/16' });

describe('a change of the network configuration', () => {
  it('is told member by member', () => {
    const [before, after] = [
      '{"Network":"10.0.0.0/8","Backend":{"Type":"udp"}}',
      '{"Backend":{"Type":"vxlan","VNI":2}}',
    ];
    expect(configDifferences(before, after)).toEqual([
      { path: 'Network', before: '"10.0.0.0/8"', after: null },
      { path: 'Backend.Type', before: '"udp"', after: '"vxlan"' },
      { path: 'Backend.VNI', before: null, after: '2' },
    ]);
  });

  it('is none when only blanks and the order differ', () => {
    expect(configDifferences('{"A":1,"B":[2]}', '{ "B": [2],\n "A": 1 }\n')).toEqual([]);
  });

  it.each([
    ['lie outside of it', { Network: '10.96.0.0/16' }],
    ['have another length', { Network: '10.244.0.0/16', SubnetLen: 25 }],
    ['lie before SubnetMin', { Network: '10.244.0.0/16', SubnetMin: '10.244.100.0' }],
    ['miss the IPv6 that it turns on', { Network: '10.244.0.0/16', EnableIPv6: true, IPv6Network: 'fd00::/48' }],
  ])('strands leases that %s', (_, members) => {
    expect(strandedBy([lease(7)], WIDE, configOf(members))).toHaveLength(1);
  });

  it('strands nobody whom it still holds', () => {
    expect(strandedBy([lease(7), malformed('junk')], WIDE, configOf({ Network: '10.240.0.0/12' }))).toEqual([]);
  });

  it('does not strand who is outside already', () => {
    expect(
      strandedBy([lease(7)], configOf({ Network: '10.96.0.0/16' }), configOf({ Network: '10.97.0.0/16' })),
    ).toEqual([]);
  });
});

describe('warnings about a network configuration', () => {
  it.each([
    ['a misspelt member', '{"Netwrok":"10.244.0.0/16"}', /does not know netwrok/],
    ['a misspelt member of Backend', '{"Backend":{"Type":"VXLAN","Vnii":1}}', /does not know Backend.vnii/],
    ['a host part that is cut off', '{"Network":"10.244.3.7/16"}', /flannel takes 10.244.0.0\/16/],
  ])('name %s', (_, text, warning) => {
    expect(configWarnings(text, 'etcd').join('\n')).toMatch(warning);
  });

  it('name the ranges that Kubernetes never looks at', () => {
    expect(configWarnings('{"Network":"10.244.0.0/16","SubnetLen":24}', 'kube')).toEqual([
      'SubnetLen counts with etcd only; with Kubernetes the podCIDR of each Node does',
    ]);
  });

  it('are none for names in another case and for other spellings of one network', () => {
    expect(configWarnings('{"network":"10.244.0.0/16","IPV6NETWORK":"FD00:0::/48","EnableIPv6":true}', 'etcd')).toEqual(
      [],
    );
  });
});
