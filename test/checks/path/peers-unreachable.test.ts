import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/path/peers-unreachable.ts';
import type { Finding, Subject } from '../../../src/doctor/check.ts';
import type { ByPeer, UnderlayAnswer } from '../../../src/facts/probes.ts';
import type { UdpOutcome } from '../../../src/host/host.ts';
import type { EchoOutcome } from '../../../src/probe/echo.ts';
import {
  ANSWERED,
  actualOverlay,
  desiredOverlay,
  ECHOED,
  known,
  leaseOf,
  peerOf,
  SILENT,
  UNANSWERED,
} from '../../support/probe-builders.ts';

const S2 = '10.244.2.0/24';
const S3 = '10.244.3.0/24';

interface Scene {
  readonly underlay?: ByPeer<UnderlayAnswer>;
  readonly overlay?: ByPeer<UnderlayAnswer>;
  readonly oneWay?: ByPeer<EchoOutcome>;
  readonly udp?: ByPeer<UdpOutcome>;
}

function evaluate({ underlay = {}, overlay = {}, oneWay = {}, udp = {} }: Scene) {
  return check.evaluate({
    underlay: { [S2]: ANSWERED, [S3]: ANSWERED, ...underlay },
    overlay: { [S2]: ANSWERED, [S3]: ANSWERED, ...overlay },
    desired: desiredOverlay(peerOf(2), peerOf(3), peerOf(4)),
    oneWay: known(oneWay),
    udp: known(udp),
    plan: known({ operations: [] }),
    actual: known(actualOverlay()),
    lease: known(leaseOf({ subnet: '10.244.1.0/24' })),
  });
}

function only(scene: Scene) {
  const [finding, ...more] = evaluate(scene);
  if (finding === undefined || more.length > 0) throw new Error(`${more.length} more than one finding`);
  return finding;
}

function explains(id: string, ...about: [Subject, ...Subject[]]): boolean {
  const own = only({ overlay: { [S2]: UNANSWERED } });
  const cause: Finding = { values: {}, about, evidence: own.evidence };
  const edge = check.causedBy?.find((candidate) => candidate.id === id);
  return edge?.because(cause, own) !== undefined;
}

describe('peers-unreachable', () => {
  it('holds where every peer answers over the overlay', () => {
    expect(evaluate({})).toEqual([]);
  });

  it('fails for the peer that is cut off, and says where it is dead', () => {
    const finding = only({ overlay: { [S2]: UNANSWERED }, oneWay: { [S2]: ECHOED }, udp: { [S2]: 'silent' } });
    expect(finding.about).toEqual([`subnet:${S2}`]);
    expect(check.say.en.summary([finding.values])).toBe(
      `${S2} (192.168.77.2) answers on the underlay but not over the overlay: packets get there, the answers do not come back through the tunnel`,
    );
    expect(finding.remedy).toMatchObject({
      commands: ['ssh 192.168.77.2 flannelctl doctor'],
      actions: [],
      automatic: 'no',
    });
  });

  it('shows what was ruled out', () => {
    const finding = only({ overlay: { [S2]: UNANSWERED }, oneWay: { [S2]: SILENT }, udp: { [S2]: 'silent' } });
    expect(finding.evidence.map(({ what, observed }) => `${what}: ${observed}`)).toEqual([
      'over the overlay: 0 of 3 echoes, TCP silent',
      'on the underlay: 3 of 3 echoes',
      'one way, the answer coming back outside the overlay: 0 of 3 echoes',
      'UDP to port 8472: silent',
      'neighbour, FDB and route entries here: 0 in order',
      'MAC and VNI of flannel.1: 02:00:00:00:00:01 1',
    ]);
  });

  it('knows by the refused datagram that the peer has no vxlan socket', () => {
    const finding = only({ overlay: { [S2]: UNANSWERED }, udp: { [S2]: 'refused' } });
    expect(finding.values.where).toBe('no-socket');
  });

  it('knows by a local error that no packet leaves', () => {
    const echo = { sent: 0, received: 0, rttMs: null, localError: 'Network is unreachable' };
    const finding = only({ overlay: { [S2]: { echo, tcp: null, answered: false } } });
    expect(finding.values.where).toBe('local');
    expect(finding.evidence[0]?.observed).toBe('Network is unreachable');
  });

  it('does not take a peer that is gone from the underlay for one that is cut off', () => {
    expect(evaluate({ underlay: { [S2]: UNANSWERED }, overlay: { [S2]: UNANSWERED } })).toEqual([]);
  });

  it('does not judge a peer that was not asked', () => {
    expect(evaluate({ overlay: { '10.244.4.0/24': UNANSWERED } })).toEqual([]);
  });

  it('follows from an entry of the same peer only', () => {
    expect(explains('fdb-missing', `subnet:${S2}`)).toBe(true);
    expect(explains('fdb-missing', 'node')).toBe(false);
  });

  it('follows from a fault of the device', () => {
    expect(explains('flannel-link-down', 'node')).toBe(true);
  });

  it('does not follow from a wrong mtu', () => {
    expect(explains('mtu-mismatch', 'node')).toBe(false);
  });
});
