import { defineFault } from '../fault.ts';
import { putOwnLease } from '../lease-record.ts';

export default defineFault({
  name: 'lease-attrs-mismatch-backend',
  check: 'lease-attrs-mismatch',
  title: "the node's lease publishes host-gw where vxlan is configured",
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => putOwnLease(raw, node, { backendType: 'host-gw', vtep: null }),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
