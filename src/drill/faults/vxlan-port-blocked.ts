import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked',
  check: 'vxlan-port-blocked',
  title: 'iptables drops incoming udp/8472',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must(['iptables', '-I', 'INPUT', '1', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
  },
  heal: async ({ node }) => {
    await node.exec(['iptables', '-D', 'INPUT', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
  },
});
