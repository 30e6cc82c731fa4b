import { defineFault } from '../fault.ts';
import { putLease, recordOf, STRANGER } from '../lease-record.ts';

const OUTSIDE = '10.199.7.0-24';

export default defineFault({
  name: 'lease-outside-network-foreign',
  check: 'lease-outside-network',
  title: 'a lease of another network stands among the leases',
  also: [],
  repair: 'heal',
  inject: ({ node, raw }) => putLease(raw, { key: OUTSIDE, value: recordOf(node, STRANGER) }),
  heal: ({ raw }) => raw.delete(OUTSIDE),
});
