import { defineFault } from '../fault.ts';

/** A table of its own for each port of the switch, so that two nodes can be cut off at once. */
function tableOf(index: number): string {
  return `cut${index}`;
}

export default defineFault({
  name: 'vxlan-port-blocked-path',
  check: 'vxlan-port-blocked',
  title: "the switch drops udp/8472 that comes in on the node's port",
  also: ['peers-unreachable'],
  repair: 'heal',
  requires: ['nft'],
  inject: async ({ node, onSwitch }) => {
    const table = `netdev ${tableOf(node.index)}`;
    const hook = `type filter hook ingress device "port${node.index}" priority 0; policy accept;`;
    await onSwitch(['nft', `add table ${table}`]);
    await onSwitch(['nft', `add chain ${table} ingress { ${hook} }`]);
    await onSwitch(['nft', `add rule ${table} ingress udp dport 8472 counter drop`]);
  },
  heal: async ({ node, onSwitch }) => {
    const table = `netdev ${tableOf(node.index)}`;
    // Making it first lets the deletion succeed after half an injection too.
    await onSwitch(['nft', `add table ${table}; delete table ${table}`]);
  },
});
