import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-expired.ts';
import type { Lease } from '../../../src/store/store.ts';
import { flannelInstall } from '../../support/probe-builders.ts';

type Facts = Parameters<typeof check.evaluate>[0];

const lease: Lease = {
  kind: 'lease',
  key: '10.244.1.0-24',
  subnet: '10.244.1.0/24',
  ipv6Subnet: null,
  expiresAt: 86_400_000,
  etcdLease: '1',
  modRevision: '7',
  node: null,
  attributes: {
    publicIp: '192.168.10.1',
    publicIpv6: null,
    backendType: 'vxlan',
    vtep: { vni: 1, mac: '02:00:00:00:00:01' },
    vtepV6: null,
    backendData: null,
    backendV6Data: null,
  },
};

function facts(parts: Partial<Facts> = {}): Facts {
  return {
    ownLease: { status: 'absent', detail: 'no lease names 192.168.10.1' },
    leases: { records: [], revision: '7', clusterId: null, source: 'etcd http://10.0.0.1:2379 /coreos.com/network' },
    vxlan: {
      type: 'vxlan',
      vni: 1,
      port: null,
      outerMtuBytes: null,
      gbp: false,
      learning: false,
      directRouting: false,
    },
    underlay: {
      device: 'eth0',
      mtuBytes: 1500,
      ipv4: '192.168.10.1',
      ipv6: null,
      publicIp: '192.168.10.1',
      publicIpv6: null,
      because: '--iface=eth0',
    },
    interfaces: [],
    flannel: flannelInstall(),
    ...parts,
  };
}

describe('lease-expired', () => {
  it('holds while a lease names this host', () => {
    expect(check.evaluate(facts({ ownLease: { status: 'known', value: lease } }))).toEqual([]);
  });

  it('finds a node whose lease is gone, about the whole node', () => {
    const [finding] = check.evaluate(facts());
    expect(finding).toMatchObject({
      about: ['node'],
      evidence: [{ what: 'leases that name this host', observed: 0, expected: 1 }, { what: 'address of flannel.1' }],
      remedy: { automatic: 'no', actions: [] },
    });
  });

  it.each([
    ['the unit that runs flanneld here', { unit: 'flannel-edge.service' }, ['systemctl restart flannel-edge.service']],
    [
      "this node's pod",
      { deployment: 'daemonset' as const, unit: null },
      [expect.stringMatching(/^kubectl .* delete pod /)],
    ],
    ['nothing that it does not know', { deployment: 'process' as const, unit: null }, []],
  ])('restarts %s', (_, install, commands) => {
    expect(check.evaluate(facts({ flannel: flannelInstall(install) }))[0]?.remedy?.commands).toEqual(commands);
  });

  it('names the public IP that no lease has', () => {
    const [finding] = check.evaluate(facts());
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('no lease in the datastore names 192.168.10.1');
  });

  it('is a consequence when the record of our subnet was taken over or cannot be read, or no subnet is left', () => {
    const expected = ['lease-duplicate-subnet', 'lease-stolen-unnoticed', 'lease-unparsable', 'out-of-subnets'];
    expect(check.causedBy?.map(({ id }) => id)).toEqual(expect.arrayContaining(expected));
  });

  it('does not follow from a record that is none of ours', () => {
    const [own] = check.evaluate(facts());
    if (own === undefined) throw new Error('nothing was found');
    const edge = check.causedBy?.find(({ id }) => id === 'lease-unparsable');
    expect(edge?.because({ ...own, about: ['key:not-a-subnet'] }, own)).toBeUndefined();
    expect(edge?.because({ ...own, about: ['node'] }, own)).toBeDefined();
  });

  it('does not follow from a full network when the node had an address: its lease was lost before', () => {
    const [own] = check.evaluate(facts());
    if (own === undefined) throw new Error('nothing was found');
    const edge = check.causedBy?.find(({ id }) => id === 'out-of-subnets');
    expect(edge?.because(own, own)).toBeDefined();
    expect(edge?.because(own, { ...own, values: { ...own.values, address: '10.244.1.0/32' } })).toBeUndefined();
  });
});
