import { describe, expect, it } from 'vitest';
import type { Entry, Operation, OverlayPlan } from '../../src/dataplane/entry.ts';
import { blockedPaths, type PathFacts } from '../../src/facts/blocked-path.ts';
import {
  ANSWERED,
  actualOverlay,
  desiredOverlay,
  leaseOf,
  linkOf,
  listing,
  peerOf,
  SILENT,
  UNANSWERED,
} from '../support/probe-builders.ts';

const PEER = peerOf(2);
const SUBJECT = { subnet: PEER.subnet, publicIp: PEER.publicIp };
const OWN = leaseOf({ subnet: '10.244.1.0/24' });
const THEIRS = leaseOf({ subnet: PEER.subnet, publicIp: PEER.publicIp, mac: '02:00:00:00:00:02' });

const ENTRIES: readonly Entry[] = [
  { kind: 'neighbour', device: 'flannel.1', ip: '10.244.2.0', mac: '02:00:00:00:00:02', isPermanent: true },
  { kind: 'fdb', device: 'flannel.1', mac: '02:00:00:00:00:02', dst: PEER.publicIp, isPermanent: true },
  { kind: 'route', dst: PEER.subnet, via: '10.244.2.0', device: 'flannel.1', isOnlink: true, metric: 0 },
];

function planOf(verb: Operation['verb'], kind: Entry['kind']): OverlayPlan {
  const ofPeer = ENTRIES.map(
    (entry): Operation => ({ verb: entry.kind === kind ? verb : 'keep', entry, subject: SUBJECT }),
  );
  return { operations: [{ verb: kind === 'link' ? verb : 'keep', entry: linkOf(), subject: 'node' }, ...ofPeer] };
}

/** Everything is right, and the peer is silent through the tunnel. */
function blamed(parts: Partial<PathFacts> = {}): readonly string[] {
  const facts: PathFacts = {
    desired: desiredOverlay(PEER),
    plan: planOf('keep', 'link'),
    actual: actualOverlay(),
    own: OWN,
    leases: listing(OWN, THEIRS),
    underlay: { [PEER.subnet]: ANSWERED },
    overlay: { [PEER.subnet]: UNANSWERED },
    oneWay: { [PEER.subnet]: SILENT },
    udp: { [PEER.subnet]: 'silent' },
    ...parts,
  };
  return blockedPaths(facts).map(({ subnet }) => subnet);
}

describe('the path to a peer', () => {
  it('is blamed when nothing else is left', () => {
    expect(blamed()).toEqual([PEER.subnet]);
  });

  it('is blamed when the datagram is answered by a prohibition', () => {
    expect(blamed({ udp: { [PEER.subnet]: 'prohibited' } })).toEqual([PEER.subnet]);
  });

  it.each([
    ['the peer answers over the overlay', { overlay: { [PEER.subnet]: ANSWERED } }],
    ['the peer is silent on the underlay too', { underlay: { [PEER.subnet]: UNANSWERED } }],
    ['the peer was not asked', { overlay: {}, underlay: {}, oneWay: {}, udp: {} }],
    ['the peer refuses the port', { udp: { [PEER.subnet]: 'refused' as const } }],
    ['the datagram did not get there', { udp: { [PEER.subnet]: 'unreachable' as const } }],
    ['the answer outside the tunnel comes back', { oneWay: { [PEER.subnet]: { ...SILENT, received: 1 } } }],
    ['that echo could not be sent', { oneWay: { [PEER.subnet]: { ...SILENT, localError: 'rp_filter is strict' } } }],
    ['the link is not as it should be', { plan: planOf('replace', 'link') }],
    ['the neighbour entry is wrong', { plan: planOf('replace', 'neighbour') }],
    ['the forwarding entry is missing', { plan: planOf('add', 'fdb') }],
    ['the route is somebody else’s', { plan: planOf('foreign', 'route') }],
    ['nothing was planned for the peer', { plan: { operations: [] } }],
    [
      'our MAC is not the one we published',
      { actual: actualOverlay({ links: [linkOf({ mac: '02:00:00:00:00:99' })] }) },
    ],
    ['the peer has another VNI', { desired: desiredOverlay(peerOf(2, { vni: 2 })) }],
    ['the peer needs no tunnel', { desired: desiredOverlay(peerOf(2, { isDirect: true })) }],
    [
      'another lease overlaps that of the peer',
      { leases: listing(OWN, THEIRS, leaseOf({ subnet: '10.244.2.128/25' })) },
    ],
    ['another lease claims our subnet', { leases: listing(OWN, THEIRS, { ...OWN, key: 'again' }) }],
  ])('is not blamed when %s', (_, parts) => {
    expect(blamed(parts)).toEqual([]);
  });
});
