import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'mtu-mismatch-pods',
  check: 'mtu-mismatch',
  title: 'cni0 is given a larger mtu than the overlay carries',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', 'cni0', 'mtu', '1500']);
  },
  heal: async ({ node }) => {
    const mtu = await node.must(['cat', `/sys/class/net/${node.device}/mtu`]);
    await node.must(['ip', 'link', 'set', 'dev', 'cni0', 'mtu', mtu.trim()]);
  },
});
