import { UnavailableError } from '../errors.ts';
import type { LeaseListing, LeaseRecord } from '../store/store.ts';
import { type Board, settle } from './board.ts';
import { isOurs, type OwnLease } from './lease-care.ts';

/**
 * Whether a listing is of the datastore that this node's knowledge is of. Another cluster is believed when it has our own record, as one
 * that was restored from a backup has; else nothing is taken from it, and nothing may be written to it.
 *
 * @throws {UnavailableError} naming both clusters; /readyz says the same until the old one answers.
 */
export function refuseForeignCluster(board: Board, { clusterId, records, source }: Listing): void {
  const { book, own, parts } = board;
  if (clusterId !== null && book.clusterId !== null && clusterId !== book.clusterId) {
    if (!hasOurRecord(own, records)) throw foreign(board, { clusterId, source });
    parts.log.warn('the datastore is another cluster, but has our lease: taken for the old one, restored', {
      before: book.clusterId,
      now: clusterId,
    });
    book.moveTo(clusterId);
  }
  settle(board, 'datastore', undefined);
}

type Listing = Pick<LeaseListing, 'clusterId' | 'records' | 'source'>;

function hasOurRecord(own: OwnLease, records: readonly LeaseRecord[]): boolean {
  const lease = own.status === 'none' ? null : own.lease;
  if (lease === null) return false;
  const record = records.find(({ key }) => key === lease.key);
  return record !== undefined && isOurs(lease, record);
}

function foreign(board: Board, { clusterId, source }: Omit<Listing, 'records'>): UnavailableError {
  const message = `${source} is of cluster ${clusterId}, but what this node knows is of cluster ${board.book.clusterId}, and its lease is not there`;
  const hint =
    'Nothing is taken from it or written to it. If the datastore was replaced on purpose, restart flannelctl up.';
  settle(board, 'datastore', `${message}. ${hint}`);
  return new UnavailableError('unreachable', message, { hint });
}
