import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked-chain',
  check: 'vxlan-port-blocked',
  title: 'a chain of somebody else drops incoming udp/8472',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must(['iptables', '-N', 'GUARD']);
    await node.must(['iptables', '-A', 'GUARD', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
    await node.must(['iptables', '-I', 'INPUT', '1', '-i', node.underlayDevice, '-j', 'GUARD']);
  },
  heal: async ({ node }) => {
    await node.exec(['iptables', '-D', 'INPUT', '-i', node.underlayDevice, '-j', 'GUARD']);
    await node.exec(['iptables', '-F', 'GUARD']);
    await node.exec(['iptables', '-X', 'GUARD']);
  },
});
