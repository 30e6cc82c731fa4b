import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked-mangle',
  check: 'vxlan-port-blocked',
  title: 'iptables drops incoming udp/53 and udp/8472 in the table mangle',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must([
      'iptables',
      '-t',
      'mangle',
      '-A',
      'PREROUTING',
      '-p',
      'udp',
      '-m',
      'multiport',
      '--dports',
      '53,8472',
      '-j',
      'DROP',
    ]);
  },
  heal: async ({ node }) => {
    await node.exec([
      'iptables',
      '-t',
      'mangle',
      '-D',
      'PREROUTING',
      '-p',
      'udp',
      '-m',
      'multiport',
      '--dports',
      '53,8472',
      '-j',
      'DROP',
    ]);
  },
});
