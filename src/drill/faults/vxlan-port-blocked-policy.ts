import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked-policy',
  check: 'vxlan-port-blocked',
  title: 'INPUT lets in icmp, tcp and answers, and drops the rest by policy',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must(['iptables', '-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT']);
    await node.must(['iptables', '-A', 'INPUT', '-p', 'icmp', '-j', 'ACCEPT']);
    await node.must(['iptables', '-A', 'INPUT', '-p', 'tcp', '-j', 'ACCEPT']);
    await node.must(['iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ACCEPT']);
    await node.must(['iptables', '-P', 'INPUT', 'DROP']);
  },
  heal: async ({ node }) => {
    await node.exec(['iptables', '-P', 'INPUT', 'ACCEPT']);
    await node.exec(['iptables', '-D', 'INPUT', '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ACCEPT']);
    await node.exec(['iptables', '-D', 'INPUT', '-p', 'tcp', '-j', 'ACCEPT']);
    await node.exec(['iptables', '-D', 'INPUT', '-p', 'icmp', '-j', 'ACCEPT']);
    await node.exec(['iptables', '-D', 'INPUT', '-i', 'lo', '-j', 'ACCEPT']);
  },
});
