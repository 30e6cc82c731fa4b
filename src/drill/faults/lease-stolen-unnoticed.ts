import { defineFault } from '../fault.ts';
import { putOwnLease, STRANGER } from '../lease-record.ts';

export default defineFault({
  name: 'lease-stolen-unnoticed',
  check: 'lease-stolen-unnoticed',
  title: "the record of the node's lease is written over by another host, and flanneld runs on",
  also: ['lease-expired', 'peers-unreachable'],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => putOwnLease(raw, node, STRANGER),
  heal: ({ node, raw }) => putOwnLease(raw, node),
});
