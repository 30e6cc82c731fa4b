import { defineFault } from '../fault.ts';
import { lastPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'fdb-stale',
  check: 'fdb-stale',
  title: 'the forwarding entry of a peer leads to an address that no node has',
  also: ['peers-unreachable'],
  repair: 'fix',
  inject: async ({ node, peers }) => {
    const { vtepMac } = lastPeer(peers);
    await node.must(['bridge', 'fdb', 'replace', vtepMac, 'dev', node.device, 'dst', '192.0.2.1', 'self', 'permanent']);
  },
  heal: ({ node }) => reprogram(node),
});
