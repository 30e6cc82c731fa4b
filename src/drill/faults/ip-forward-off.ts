import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'ip-forward-off',
  check: 'ip-forward-off',
  title: 'the kernel does not forward IPv4',
  also: [],
  repair: 'fix',
  inject: async ({ node }) => {
    await node.must(['sysctl', '-w', 'net.ipv4.ip_forward=0']);
  },
  heal: async ({ node }) => {
    await node.must(['sysctl', '-w', 'net.ipv4.ip_forward=1']);
  },
});
