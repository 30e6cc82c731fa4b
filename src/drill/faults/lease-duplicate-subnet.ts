import { type DrillNode, defineFault } from '../fault.ts';
import { putLease, recordOf, STRANGER } from '../lease-record.ts';
import { overlayIp } from '../reprogram.ts';

export default defineFault({
  name: 'lease-duplicate-subnet',
  check: 'lease-duplicate-subnet',
  title: "another host is given the upper half of the node's subnet",
  also: [],
  repair: 'heal',
  // Without the node's own lease nothing overlaps.
  pairable: false,
  inject: ({ node, raw }) => putLease(raw, { key: upperHalf(node), value: recordOf(node, STRANGER) }),
  heal: ({ node, raw }) => raw.delete(upperHalf(node)),
});

function upperHalf(node: DrillNode): string {
  return `${overlayIp(node).replace(/\.0$/, '.128')}-25`;
}
