import type { DesiredOverlay } from '../dataplane/entry.ts';
import { refuseHeldSubnets } from '../dataplane/own-lease.ts';
import type { LeaseRecord } from '../store/store.ts';
import { type Board, settle } from './board.ts';
import { isHeldByAnother } from './lease-keeper.ts';
import { problemText } from './problem.ts';

/**
 * Tells of another host that publishes our subnet under a key of its own (`10.5.1.0-24` and `10.5.1.0-24&fc00::-64`): its pods and ours
 * may have the same addresses. Our record is ours all the same: it is renewed, or the peers would drop the one that works. A lease that
 * merely overlaps ours, which flannel gives nobody, is left to the list of what is not programmed.
 */
export function tellOtherOwner(board: Board, { ignored }: Pick<DesiredOverlay, 'ignored'>): void {
  const { own, book, underlay } = board;
  const used =
    own.status === 'held' ? [own.lease.subnet, own.lease.ipv6Subnet].filter((subnet) => subnet !== null) : [];
  const records = ignored.flatMap(({ key }) => book.get(key) ?? []).filter((record) => hasOneOf(record, used));
  try {
    refuseHeldSubnets(used, underlay, records);
    settle(board, 'subnet', undefined);
  } catch (error) {
    if (!isHeldByAnother(error)) throw error;
    settle(board, 'subnet', problemText(error));
  }
}

function hasOneOf(record: LeaseRecord, subnets: readonly string[]): boolean {
  if (record.kind === 'malformed-key') return false;
  return [record.subnet, record.ipv6Subnet].some((subnet) => subnet !== null && subnets.includes(subnet));
}
