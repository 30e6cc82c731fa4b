import { defineFault } from '../fault.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'flannel-link-down',
  check: 'flannel-link-down',
  title: 'flannel.1 is set down',
  also: ['route-missing', 'arp-missing', 'peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'down']);
  },
  heal: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'up']);
    await reprogram(node);
  },
});
