import { defineFault } from '../fault.ts';

const RULES = `table inet guard {
  set closed {
    type inet_service; flags interval
    elements = { 4789, 8400-8500 }
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    udp dport @closed counter drop
  }
}
`;

export default defineFault({
  name: 'vxlan-port-blocked-nft-set',
  check: 'vxlan-port-blocked',
  title: 'a table of nftables drops the ports of a named set',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['nft'],
  inject: async ({ node }) => {
    await node.must(['nft', '-f', '-'], { input: RULES });
  },
  heal: async ({ node }) => {
    await node.exec(['nft', 'delete', 'table', 'inet', 'guard']);
  },
});
