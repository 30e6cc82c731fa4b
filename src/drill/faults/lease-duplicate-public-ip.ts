import { defineFault } from '../fault.ts';
import { putLease, recordOf } from '../lease-record.ts';

/** Far from what the nodes of a drill are given. */
const SECOND = '10.244.240.0-24';

export default defineFault({
  name: 'lease-duplicate-public-ip',
  check: 'lease-duplicate-public-ip',
  title: 'a second lease names the node',
  also: [],
  repair: 'heal',
  // Without the node's own lease it is another fault.
  pairable: false,
  inject: ({ node, raw }) => putLease(raw, { key: SECOND, value: recordOf(node) }),
  heal: ({ raw }) => raw.delete(SECOND),
});
