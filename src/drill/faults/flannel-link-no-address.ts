import { defineFault } from '../fault.ts';
import { overlayIp, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'flannel-link-no-address',
  check: 'flannel-link-no-address',
  title: 'the address of flannel.1 is removed',
  also: ['route-missing', 'arp-missing', 'peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'addr', 'del', `${overlayIp(node)}/32`, 'dev', node.device]);
  },
  heal: ({ node }) => reprogram(node),
});
