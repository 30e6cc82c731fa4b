import { defineFault } from '../fault.ts';
import { portOf } from '../layout.ts';
import { lastPeer } from '../reprogram.ts';

export default defineFault({
  name: 'underlay-unreachable',
  check: 'underlay-unreachable',
  title: "a peer's port on the switch goes down",
  also: [],
  repair: 'heal',
  inject: async ({ node, peers, onSwitch }) => {
    const peer = lastPeer(peers);
    await onSwitch(['ip', 'link', 'set', 'dev', portOf(peer.index), 'down']);
    // The kernel goes on trusting the entry for up to 45 s; the drill is not to wait for that.
    await node.must(['ip', 'neigh', 'flush', 'to', peer.publicIp, 'dev', node.underlayDevice]);
  },
  heal: async ({ peers, onSwitch }) => {
    await onSwitch(['ip', 'link', 'set', 'dev', portOf(lastPeer(peers).index), 'up']);
  },
});
