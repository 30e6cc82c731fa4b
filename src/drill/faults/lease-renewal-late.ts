import { defineFault } from '../fault.ts';
import { keyOf, putLease, putOwnLease, recordOf } from '../lease-record.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'lease-renewal-late',
  check: 'lease-renewal-late',
  title: "a peer's lease has ten minutes left, and its flanneld does not renew it",
  also: [],
  repair: 'heal',
  // The peer's flanneld starts again, which it does only where all leases are there.
  pairable: false,
  inject: async ({ peers, raw }) => {
    const peer = firstPeer(peers);
    await peer.stopFlanneld();
    await putLease(raw, { key: keyOf(peer), value: recordOf(peer), ttlSeconds: 600 });
  },
  heal: async ({ peers, raw }) => {
    const peer = firstPeer(peers);
    await putOwnLease(raw, peer);
    await peer.stopFlanneld();
    await peer.startFlanneld();
  },
});
