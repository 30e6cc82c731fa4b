import { defineFault } from '../fault.ts';
import { lastPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'fdb-stale-fleeting',
  check: 'fdb-stale',
  title: 'the forwarding entry of a peer is made one that ages',
  also: [],
  repair: 'fix',
  pairable: false,
  inject: async ({ node, peers }) => {
    const { vtepMac, publicIp } = lastPeer(peers);
    await node.must(['bridge', 'fdb', 'replace', vtepMac, 'dev', node.device, 'dst', publicIp, 'self', 'dynamic']);
  },
  heal: ({ node }) => reprogram(node),
});
