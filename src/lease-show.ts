import { AbsentError } from './errors.ts';
import type { LeaseSession } from './lease-session.ts';
import { type LeaseView, measureView, readView } from './lease-view.ts';
import { findLeases } from './leases/find.ts';
import { nodeOf } from './leases/states.ts';

/** The leases that a word names, the owners of overdue ones measured. @throws {AbsentError} when it names none. */
export async function showLeases(
  session: LeaseSession,
  word: string,
  kubeconfigEnv: string | undefined,
): Promise<LeaseView> {
  const view = await readView(session, { ttl: true, kubeconfigEnv });
  const { listing, scene } = view;
  const keys = new Set(findLeases(listing.records, word, (one) => nodeOf(one, scene.nodes)).map(({ key }) => key));
  if (keys.size === 0) {
    throw new AbsentError(`${listing.source} has no lease of ${JSON.stringify(word)}`, {
      hint: 'See: flannelctl leases list',
    });
  }
  const isWanted: Parameters<typeof measureView>[2]['isWanted'] = ({ record, states }) =>
    keys.has(record.key) && states.includes('overdue') && !states.includes('this-host') && record.node === null;
  const measured = await measureView(session, view, { isWanted, onlyProof: false });
  return { ...measured, leases: measured.leases.filter(({ record }) => keys.has(record.key)) };
}
