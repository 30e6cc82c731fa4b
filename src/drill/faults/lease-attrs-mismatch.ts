import { defineFault } from '../fault.ts';
import { putOwnLease, vniOf } from '../lease-record.ts';

export default defineFault({
  name: 'lease-attrs-mismatch',
  check: 'lease-attrs-mismatch',
  title: "the node's lease publishes a VNI that is not that of flannel.1",
  also: [],
  repair: 'heal',
  // Without the node's own lease it is another fault.
  pairable: false,
  inject: ({ node, raw }) => putOwnLease(raw, node, { vtep: { VNI: vniOf(node) + 6, VtepMAC: node.vtepMac } }),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
