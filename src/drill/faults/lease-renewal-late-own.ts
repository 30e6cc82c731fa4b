import { defineFault } from '../fault.ts';
import { keyOf, putLease, putOwnLease, recordOf } from '../lease-record.ts';

export default defineFault({
  name: 'lease-renewal-late-own',
  check: 'lease-renewal-late',
  title: "the node's own lease has ten minutes left although flanneld runs",
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => putLease(raw, { key: keyOf(node), value: recordOf(node), ttlSeconds: 600 }),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
