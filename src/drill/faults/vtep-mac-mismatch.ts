import { defineFault } from '../fault.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'vtep-mac-mismatch',
  check: 'vtep-mac-mismatch',
  title: 'flannel.1 is given another MAC than the lease publishes',
  also: ['arp-missing', 'peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'address', '02:00:5e:00:53:01']);
  },
  heal: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'address', node.vtepMac]);
    await reprogram(node);
  },
});
