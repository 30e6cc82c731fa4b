import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-duplicate-subnet.ts';
import type { FlannelInstall } from '../../../src/facts/flannel.ts';
import type { SubnetEnv } from '../../../src/facts/subnet-env.ts';
import type { LeaseRecord } from '../../../src/store/store.ts';
import {
  ABSENT,
  actualOverlay,
  flannelInstall,
  interfaceOf,
  known,
  leaseOf,
  listing,
  subnetEnv,
  UNDERLAY,
} from '../../support/probe-builders.ts';

const OWN = leaseOf({ subnet: '10.244.1.0/24' });
const PEER = leaseOf({ subnet: '10.244.2.0/24', publicIp: '192.168.77.2', mac: '02:00:00:00:00:02' });
const STOLEN = leaseOf({ subnet: '10.244.1.0/24', publicIp: '203.0.113.77', mac: '02:00:5e:00:53:77' });

interface Scene {
  readonly flannel?: Partial<FlannelInstall>;
  readonly file?: Partial<SubnetEnv>;
  /** Whether a lease names this host; default: it has one. */
  readonly hasLease?: boolean;
}

function evaluate(records: readonly LeaseRecord[], { flannel = {}, file = {}, hasLease = true }: Scene = {}) {
  return check.evaluate({
    leases: listing(...records),
    actual: actualOverlay(),
    interfaces: [interfaceOf('e0', '192.168.77.1')],
    flannel: flannelInstall(flannel),
    ownLease: hasLease ? known(OWN) : ABSENT,
    underlay: known(UNDERLAY),
    file: known(subnetEnv(file)),
  });
}
const summaryOf = (findings: ReturnType<typeof evaluate>) =>
  findings.map(({ values }) => check.say.en.summary([values]));

describe('lease-duplicate-subnet', () => {
  it('holds where every node has a subnet of its own', () => {
    expect(evaluate([OWN, PEER])).toEqual([]);
  });

  it('fails where another host holds the lease of the subnet that is in use here', () => {
    const [finding] = evaluate([STOLEN, PEER]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(summaryOf([finding])).toEqual(['10.244.1.0/24, which flannel.1 uses here, is leased to 203.0.113.77']);
    expect(finding.about).toEqual(['node']);
    expect(finding.evidence[1]).toMatchObject({ observed: '203.0.113.77', source: expect.stringContaining('etcd') });
  });

  it('shows the safe order of steps, and does none of them', () => {
    expect(evaluate([STOLEN])[0]?.remedy).toMatchObject({
      commands: [
        'flannelctl leases show 10.244.1.0/24',
        'systemctl stop flanneld.service',
        'rm -- /run/flannel/subnet.env',
        'systemctl start flanneld.service',
      ],
      actions: [],
      automatic: 'no',
    });
  });

  it('fails where the subnet file is that of a peer, as a consequence of the file', () => {
    const [finding] = evaluate([OWN, PEER], { file: { subnet: '10.244.2.0/24' } });
    if (finding === undefined) throw new Error('nothing was found');
    expect(summaryOf([finding])).toEqual([
      '10.244.2.0/24, which /run/flannel/subnet.env uses here, is leased to 192.168.77.2',
    ]);
    const edge = check.causedBy?.find(({ id }) => id === 'subnet-env-stale');
    expect(edge?.because(finding, finding)?.en).toContain('not that of our lease');
  });

  it('does not blame the subnet file for what the device shows', () => {
    const [finding] = evaluate([STOLEN]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.causedBy?.find(({ id }) => id === 'subnet-env-stale')?.because(finding, finding)).toBeUndefined();
  });

  it('does not take a public address behind NAT for another host', () => {
    const behindNat = leaseOf({ subnet: '10.244.1.0/24', publicIp: '203.0.113.5', mac: '02:00:00:00:00:01' });
    expect(evaluate([behindNat])).toEqual([]);
  });

  it('does not take two subnets of one host for one subnet of two', () => {
    expect(evaluate([OWN, leaseOf({ subnet: '10.244.7.0/24' })])).toEqual([]);
  });

  it('fails for keys of different length that overlap, about those keys', () => {
    const wide = leaseOf({ subnet: '10.244.8.0/23', publicIp: '192.168.77.8', mac: '02:00:00:00:00:08' });
    const narrow = leaseOf({ subnet: '10.244.9.0/24', publicIp: '192.168.77.9', mac: '02:00:00:00:00:09' });
    const findings = evaluate([OWN, narrow, wide]);
    expect(summaryOf(findings)).toEqual(['the leases 10.244.8.0-23 and 10.244.9.0-24 overlap']);
    expect(findings[0]?.about).toEqual(['key:10.244.8.0-23', 'key:10.244.9.0-24']);
  });

  it('fails for a plain and a dual-stack key with one IPv4 subnet', () => {
    const other = leaseOf({ subnet: '10.244.2.0/24', publicIp: '192.168.77.3', mac: '02:00:00:00:00:03' });
    const dual = { ...other, key: '10.244.2.0-24&fc00::-64', ipv6Subnet: 'fc00::/64' };
    expect(summaryOf(evaluate([OWN, PEER, dual]))).toEqual([
      'the leases 10.244.2.0-24 and 10.244.2.0-24&fc00::-64 overlap',
    ]);
  });

  it('leaves two leases of one host to lease-duplicate-public-ip, also where they overlap', () => {
    const dual = { ...PEER, key: '10.244.2.0-24&fc00::-64', ipv6Subnet: 'fc00::/64' };
    expect(evaluate([OWN, PEER, dual])).toEqual([]);
  });

  it('leaves a record that was written over under a running flanneld to lease-stolen-unnoticed', () => {
    expect(evaluate([STOLEN], { hasLease: false })).toEqual([]);
  });

  it('leaves overlapping podCIDRs to Kubernetes', () => {
    const twin = { ...PEER, key: 'worker-9' };
    expect(evaluate([OWN, PEER, twin], { flannel: { subnetManager: 'kube' } })).toEqual([]);
  });

  it('judges the device where the subnet file is missing', () => {
    const facts = {
      actual: actualOverlay(),
      interfaces: [],
      flannel: flannelInstall(),
      ownLease: known(OWN),
      underlay: ABSENT,
      file: ABSENT,
    };
    expect(check.evaluate({ leases: listing(STOLEN), ...facts })).toHaveLength(1);
  });
});
