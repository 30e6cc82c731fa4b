import { defineFault } from '../fault.ts';
import { keyOf, putLease, putOwnLease } from '../lease-record.ts';

export default defineFault({
  name: 'lease-unparsable-own',
  check: 'lease-unparsable',
  title: "the value of the node's lease is cut off in the middle",
  also: ['lease-expired'],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => putLease(raw, { key: keyOf(node), value: '{"PublicIP":"192.168.' }),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
