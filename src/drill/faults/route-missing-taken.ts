import { defineFault } from '../fault.ts';
import { firstPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'route-missing-taken',
  check: 'route-missing',
  title: "somebody else's route to a peer's subnet is in the place of flannel's",
  also: ['peers-unreachable'],
  repair: 'heal',
  pairable: false,
  inject: async ({ node, peers }) => {
    const { subnet } = firstPeer(peers);
    await node.must(['ip', 'route', 'del', subnet, 'dev', node.device]);
    await node.must(['ip', 'route', 'add', subnet, 'dev', node.underlayDevice]);
  },
  heal: async ({ node, peers }) => {
    await node.exec(['ip', 'route', 'del', firstPeer(peers).subnet, 'dev', node.underlayDevice]);
    await reprogram(node);
  },
});
