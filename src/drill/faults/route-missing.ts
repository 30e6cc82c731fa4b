import { defineFault } from '../fault.ts';
import { firstPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'route-missing',
  check: 'route-missing',
  title: 'the route to a peer is deleted',
  also: ['peers-unreachable'],
  repair: 'fix',
  inject: async ({ node, peers }) => {
    await node.must(['ip', 'route', 'del', firstPeer(peers).subnet, 'dev', node.device]);
  },
  heal: ({ node }) => reprogram(node),
});
