import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/lease-duplicate-public-ip.ts';
import type { Lease, LeaseRecord } from '../../../src/store/store.ts';
import { leaseAt, reservationAt } from '../../support/lease-records.ts';
import { ABSENT, known, listing } from '../../support/probe-builders.ts';

const SECOND = leaseAt(9, {
  attributes: { publicIp: '192.168.77.1', vtep: { vni: 1, mac: '02:00:00:00:00:01' } },
});

function evaluate(records: readonly LeaseRecord[], own?: Lease) {
  return check.evaluate({ leases: listing(...records), ownLease: own === undefined ? ABSENT : known(own) });
}

describe('lease-duplicate-public-ip', () => {
  it('holds where every host has one lease', () => {
    expect(evaluate([leaseAt(1), leaseAt(2)])).toEqual([]);
  });

  it('names the host and its leases', () => {
    const [finding] = evaluate([leaseAt(1), leaseAt(2), SECOND]);
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('192.168.77.1 has the leases 10.244.1.0/24, 10.244.9.0/24');
    expect(finding.about).toContain('key:10.244.9.0-24');
    expect(finding.evidence[0].source).toContain('etcd');
  });

  it('says which lease of this host to give back, never the one in use', () => {
    const [finding] = evaluate([leaseAt(1), SECOND], leaseAt(1));
    expect(finding?.remedy).toMatchObject({
      commands: ['flannelctl leases release 10.244.9.0/24'],
      actions: [],
      automatic: 'no',
    });
  });

  it('sends the reader to the other host where it is not this one', () => {
    const [finding] = evaluate([leaseAt(1), SECOND], leaseAt(2));
    expect(finding?.remedy?.commands).toContain('ssh 192.168.77.1 ip -brief addr show type vxlan');
  });

  it('does not tell to release anything where two MACs show two hosts behind one address', () => {
    const clone = leaseAt(9, { attributes: { publicIp: '192.168.77.1' } });
    const [finding] = evaluate([leaseAt(1), clone]);
    expect(finding && check.say.en.remedy([finding.values])).toContain('its own public IP');
  });

  it('does not take a reservation beside a lease for a second one', () => {
    const reserved = { ...reservationAt(9), attributes: { ...reservationAt(9).attributes, publicIp: '192.168.77.1' } };
    expect(evaluate([leaseAt(1), reserved])).toEqual([]);
  });

  it('does not take two IPv6-only nodes, which publish no IPv4 address, for one', () => {
    const only6 = (number: number) =>
      leaseAt(number, { attributes: { publicIp: null, publicIpv6: `fd77::${number}` } });
    expect(evaluate([only6(1), only6(2)])).toEqual([]);
  });

  it('follows from a record that was written over, and only then', () => {
    const [finding] = evaluate([leaseAt(1), SECOND]);
    if (finding === undefined) throw new Error('nothing was found');
    const edge = check.causedBy?.find(({ id }) => id === 'lease-stolen-unnoticed');
    const stolen = (key: string) => ({ ...finding, values: { key } });
    expect(edge?.because(stolen('10.244.9.0-24'), finding)).toBeDefined();
    expect(edge?.because(stolen('10.244.7.0-24'), finding)).toBeUndefined();
  });
});
