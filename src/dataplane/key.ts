import type { Entry } from './entry.ts';

/**
 * What makes two entries the same object to the kernel. A route's key leaves out device and gateway: the kernel holds one route
 * for a destination and metric, and `ip route replace` takes the place of whichever it is.
 */
export function entryKey(entry: Entry): string {
  switch (entry.kind) {
    case 'link':
      return `link ${entry.device}`;
    case 'address':
      return `address ${entry.device} ${entry.address}`;
    case 'neighbour':
      return `neighbour ${entry.device} ${entry.ip}`;
    case 'fdb':
      return `fdb ${entry.device} ${entry.mac}`;
    case 'route':
      return `route ${entry.dst} ${entry.metric}`;
  }
}
