import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked-output',
  check: 'vxlan-port-blocked',
  title: 'iptables drops outgoing udp/8472',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must([
      'iptables',
      '-I',
      'OUTPUT',
      '1',
      '-o',
      node.underlayDevice,
      '-p',
      'udp',
      '--dport',
      '8472',
      '-j',
      'DROP',
    ]);
  },
  heal: async ({ node }) => {
    await node.exec([
      'iptables',
      '-D',
      'OUTPUT',
      '-o',
      node.underlayDevice,
      '-p',
      'udp',
      '--dport',
      '8472',
      '-j',
      'DROP',
    ]);
  },
});
