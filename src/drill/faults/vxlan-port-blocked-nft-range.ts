import { defineFault } from '../fault.ts';

const RULES = `table ip guard {
  chain before {
    type filter hook prerouting priority mangle; policy accept;
    meta l4proto { tcp, udp } th dport 8000-9000 counter drop
  }
}
`;

export default defineFault({
  name: 'vxlan-port-blocked-nft-range',
  check: 'vxlan-port-blocked',
  title: 'a table of nftables drops a range of ports before routing',
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['nft'],
  inject: async ({ node }) => {
    await node.must(['nft', '-f', '-'], { input: RULES });
  },
  heal: async ({ node }) => {
    await node.exec(['nft', 'delete', 'table', 'ip', 'guard']);
  },
});
