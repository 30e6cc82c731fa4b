import type { Silence } from '../probe/silence-verdict.ts';
import type { LeaseRecord } from '../store/store.ts';
import { type LeaseJudge, type LeaseScene, type LeaseState, nodeOf, ttlSecondsOf } from './states.ts';

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
