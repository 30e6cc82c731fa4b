import { defineFault } from '../fault.ts';
import { firstPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'fdb-missing',
  check: 'fdb-missing',
  title: 'the forwarding entry of a peer is deleted',
  also: ['peers-unreachable'],
  repair: 'fix',
  inject: async ({ node, peers }) => {
    const { vtepMac, publicIp } = firstPeer(peers);
    await node.must(['bridge', 'fdb', 'del', vtepMac, 'dev', node.device, 'dst', publicIp, 'self']);
  },
  heal: ({ node }) => reprogram(node),
});
