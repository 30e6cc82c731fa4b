import type { Silence } from '../probe/silence-verdict.ts';
import type { Lease, LeaseRecord } from '../store/store.ts';
import { type LeaseJudge, type LeaseScene, type LeaseState, leaseJudge, nodeOf, ttlSecondsOf } from './states.ts';

/** A record with what is said of it. */
export interface JudgedLease {
  readonly record: LeaseRecord;
  readonly states: readonly LeaseState[];
  /** `null`: the store never drops it; `undefined`: was not asked for. */
  readonly ttlSeconds: number | null | undefined;
  /** Name of the Node that has its address; `null`: none is known. */
  readonly node: string | null;
  /** Since when its Node is not Ready, epoch ms (`null`: nobody says); `undefined`: it is, or no Node is known. */
  readonly notReadySince: number | null | undefined;
  /** `undefined`: its owner was not asked. */
  readonly silence: Silence | undefined;
}

export function judgeLease(
  record: LeaseRecord,
  { judge, scene }: { readonly judge: LeaseJudge; readonly scene: LeaseScene },
  silence?: Silence,
): JudgedLease {
  const node = nodeOf(record, scene.nodes);
  return {
    record,
    states: judge.statesOf(record, silence, scene.now),
    ttlSeconds: ttlSecondsOf(record, scene),
    node,
    notReadySince: scene.nodes?.notReady.get(node ?? ''),
    silence,
  };
}

/** All records of a datastore, judged by each other and by what is known besides. */
export interface JudgedLeases {
  readonly scene: LeaseScene;
  readonly judge: LeaseJudge;
  readonly leases: readonly JudgedLease[];
}

export function judgeLeases<S extends LeaseScene>(
  records: readonly LeaseRecord[],
  scene: S,
): JudgedLeases & { readonly scene: S } {
  const judge = leaseJudge(records, scene);
  return { scene, judge, leases: records.map((record) => judgeLease(record, { judge, scene })) };
}

/** The same, with some owners measured. `silence`: by key. */
export function withSilence<T extends JudgedLeases>(judged: T, silence: ReadonlyMap<string, Silence>): T {
  const leases = judged.leases.map((lease) => {
    const found = silence.get(lease.record.key);
    return found === undefined ? lease : judgeLease(lease.record, judged, found);
  });
  return { ...judged, leases };
}

/** Those that have an owner who could be asked. */
export function leasesOf(judged: readonly JudgedLease[]): readonly Lease[] {
  return judged.flatMap(({ record }) => (record.kind === 'lease' ? [record] : []));
}
