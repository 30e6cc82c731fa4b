import { defineFault } from '../fault.ts';
import { putOwnLease, vniOf } from '../lease-record.ts';
import { lastPeer } from '../reprogram.ts';

export default defineFault({
  name: 'vni-or-port-mismatch',
  check: 'vni-or-port-mismatch',
  title: "a peer's lease publishes another VNI",
  also: [],
  repair: 'heal',
  inject: ({ peers, raw }) => {
    const peer = lastPeer(peers);
    return putOwnLease(raw, peer, { vtep: { VNI: vniOf(peer) + 6, VtepMAC: peer.vtepMac } });
  },
  heal: ({ peers, raw }) => putOwnLease(raw, lastPeer(peers)),
});
