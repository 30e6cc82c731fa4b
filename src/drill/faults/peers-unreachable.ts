import { defineFault } from '../fault.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'peers-unreachable',
  check: 'peers-unreachable',
  title: 'a peer loses its forwarding entry for the node, so that only the way back is dead',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: async ({ node, peers }) => {
    const { device, must } = firstPeer(peers);
    await must(['bridge', 'fdb', 'del', node.vtepMac, 'dev', device, 'dst', node.publicIp, 'self']);
  },
  heal: async ({ node, peers }) => {
    const { device, must } = firstPeer(peers);
    await must(['bridge', 'fdb', 'replace', node.vtepMac, 'dev', device, 'dst', node.publicIp, 'self', 'permanent']);
  },
});
