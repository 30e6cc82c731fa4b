import { defineFault } from '../fault.ts';
import { portOf } from '../layout.ts';
import { keyOf, putLease, putOwnLease, recordOf } from '../lease-record.ts';
import { lastPeer } from '../reprogram.ts';

/** With three nodes the other peer is the control that answers. */
export default defineFault({
  name: 'lease-stale-dead-node',
  check: 'lease-stale-dead-node',
  title: 'a peer is off the network, and its lease has ten minutes left',
  also: ['underlay-unreachable'],
  repair: 'heal',
  pairable: false,
  inject: async ({ node, peers, raw, onSwitch }) => {
    const peer = lastPeer(peers);
    await onSwitch(['ip', 'link', 'set', 'dev', portOf(peer.index), 'down']);
    await node.must(['ip', 'neigh', 'flush', 'to', peer.publicIp, 'dev', node.underlayDevice]);
    await putLease(raw, { key: keyOf(peer), value: recordOf(peer), ttlSeconds: 600 });
  },
  heal: async ({ peers, raw, onSwitch }) => {
    const peer = lastPeer(peers);
    await onSwitch(['ip', 'link', 'set', 'dev', portOf(peer.index), 'up']);
    await putOwnLease(raw, peer);
  },
});
