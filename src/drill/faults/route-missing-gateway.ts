import { defineFault } from '../fault.ts';
import { firstPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'route-missing-gateway',
  check: 'route-missing',
  title: 'the route to a peer leads to an address that no peer has',
  also: ['peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node, peers }) => {
    const { subnet } = firstPeer(peers);
    await node.must(['ip', 'route', 'replace', subnet, 'via', '10.244.255.0', 'dev', node.device, 'onlink']);
  },
  heal: ({ node }) => reprogram(node),
});
