import { defineFault } from '../fault.ts';
import { putOwnLease } from '../lease-record.ts';

export default defineFault({
  name: 'lease-attrs-mismatch-data',
  check: 'lease-attrs-mismatch',
  title: "the node's lease has lost its BackendData",
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => putOwnLease(raw, node, { vtep: null }),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
