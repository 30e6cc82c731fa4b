import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'vxlan-port-blocked-raw',
  check: 'vxlan-port-blocked',
  title: 'iptables drops incoming udp/8000 to 9000 in the table raw',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must([
      'iptables',
      '-t',
      'raw',
      '-I',
      'PREROUTING',
      '1',
      '-i',
      node.underlayDevice,
      '-p',
      'udp',
      '--dport',
      '8000:9000',
      '-j',
      'DROP',
    ]);
  },
  heal: async ({ node }) => {
    await node.exec([
      'iptables',
      '-t',
      'raw',
      '-D',
      'PREROUTING',
      '-i',
      node.underlayDevice,
      '-p',
      'udp',
      '--dport',
      '8000:9000',
      '-j',
      'DROP',
    ]);
  },
});
