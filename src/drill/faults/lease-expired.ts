import { formatSubnetKey } from '../../store/subnet-key.ts';
import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'lease-expired',
  check: 'lease-expired',
  title: "the node's lease is gone from the datastore while its overlay stands",
  also: [],
  repair: 'heal',
  inject: ({ node, raw }) => raw.delete(formatSubnetKey({ subnet: node.subnet, ipv6Subnet: null })),
  heal: async ({ node }) => {
    await node.stopFlanneld();
    await node.startFlanneld();
  },
});
