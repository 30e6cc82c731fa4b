import { defineFault } from '../fault.ts';
import { lastPeer, overlayIp, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'arp-stale',
  check: 'arp-stale',
  title: 'the neighbour entry of a peer holds a MAC that it does not have',
  also: ['peers-unreachable'],
  repair: 'fix',
  inject: async ({ node, peers }) => {
    await node.must([
      'ip',
      'neigh',
      'replace',
      overlayIp(lastPeer(peers)),
      'lladdr',
      '02:00:5e:00:53:03',
      'dev',
      node.device,
      'nud',
      'permanent',
    ]);
  },
  heal: ({ node }) => reprogram(node),
});
