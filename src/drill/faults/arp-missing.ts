import { defineFault } from '../fault.ts';
import { firstPeer, overlayIp, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'arp-missing',
  check: 'arp-missing',
  title: 'the neighbour entry of a peer is deleted',
  also: ['peers-unreachable'],
  repair: 'fix',
  inject: async ({ node, peers }) => {
    await node.must(['ip', 'neigh', 'del', overlayIp(firstPeer(peers)), 'dev', node.device]);
  },
  heal: ({ node }) => reprogram(node),
});
