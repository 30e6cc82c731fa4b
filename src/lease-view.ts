import { type KnownScene, type ReadOptions, readScene } from './lease-scene.ts';
import type { LeaseSession } from './lease-session.ts';
import { vxlanWay } from './lease-vxlan.ts';
import { type JudgedLease, type JudgedLeases, judgeLeases, leasesOf, withSilence } from './leases/judged.ts';
import { measureSilence } from './probe/owner-silence.ts';
import type { Silence } from './probe/silence-verdict.ts';
import type { Lease, LeaseListing } from './store/store.ts';

/** The leases as they are to be shown or acted upon. */
export interface LeaseView extends JudgedLeases {
  readonly listing: LeaseListing;
  readonly scene: KnownScene;
}

export async function readView(session: LeaseSession, options: ReadOptions): Promise<LeaseView> {
  const { listing, scene } = await readScene(session, options);
  return { listing, ...judgeLeases(listing.records, scene) };
}

export interface MeasureOptions {
  /** Whose owners are measured. */
  readonly isWanted: (lease: JudgedLease) => boolean;
  /** Nobody is asked where silence could not be proved from here; an answer alone is not worth the packets. */
  readonly onlyProof: boolean;
}

/** The same with the owners of some leases measured. Sends nothing when none is wanted. */
export async function measureView(session: LeaseSession, view: LeaseView, options: MeasureOptions): Promise<LeaseView> {
  const candidates = leasesOf(view.leases.filter(options.isWanted));
  if (candidates.length === 0) return view;
  return withSilence(view, await measureOwners(session, view, { candidates, onlyProof: options.onlyProof }));
}

/** By key of the lease. */
export async function measureOwners(
  session: LeaseSession,
  { leases, scene }: LeaseView,
  { candidates, onlyProof }: Pick<MeasureOptions, 'onlyProof'> & { readonly candidates: readonly Lease[] },
): Promise<ReadonlyMap<string, Silence>> {
  const isLive = ({ states }: JudgedLease) => states.includes('live');
  const isOwn = ({ states }: JudgedLease) => states.includes('this-host');
  const asked = new Set(candidates);
  const fresh = leasesOf(leases.filter((lease) => isLive(lease) && !isOwn(lease))).filter((one) => !asked.has(one));
  const [own] = leasesOf(leases.filter((lease) => isLive(lease) && isOwn(lease)));
  const limit = probeLimit(session);
  try {
    const vxlan = await vxlanWay(session, scene, own);
    if (onlyProof && (vxlan.kind === 'none' || fresh.length === 0)) return new Map();
    return await measureSilence({ host: session.world.host, vxlan, candidates, fresh, signal: limit.signal });
  } finally {
    limit.end();
  }
}

/** The longest probe that was begun has to end within `--timeout` too. */
const LAST_PROBE_MS = 3000;

function probeLimit({ world, timeoutMs, signal }: LeaseSession): { readonly signal: AbortSignal; end(): void } {
  const over = new AbortController();
  const done = new AbortController();
  const sleeping = world.clock.sleep(Math.max(0, timeoutMs - LAST_PROBE_MS), AbortSignal.any([signal, done.signal]));
  void Promise.allSettled([sleeping]).then(() => over.abort());
  return { signal: over.signal, end: () => done.abort() };
}
