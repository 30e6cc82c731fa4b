import { defineFault } from '../fault.ts';

/** The last subnet of the network, which no node of a drill gets. */
const NOBODYS = '10.244.255.0/24';

export default defineFault({
  name: 'route-stale',
  check: 'route-stale',
  title: 'a route to a subnet that nobody leases is added',
  also: [],
  repair: 'fix',
  inject: async ({ node }) => {
    await node.must(['ip', 'route', 'add', NOBODYS, 'via', '10.244.255.0', 'dev', node.device, 'onlink']);
  },
  heal: async ({ node }) => {
    await node.exec(['ip', 'route', 'del', NOBODYS, 'dev', node.device]);
  },
});
