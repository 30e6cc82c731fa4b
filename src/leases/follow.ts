import type { LeaseRecord, StoreEvent } from '../store/store.ts';
import { type JudgedLease, judgeLease } from './judged.ts';
import { type LeaseJudge, type LeaseScene, leaseJudge } from './states.ts';

/** One thing that is told of the leases. */
export type LeaseEvent =
  /** All leases follow as `listed`: what was told before is forgotten. */
  | { readonly type: 'snapshot'; readonly revision: string; readonly because: string | null; readonly count: number }
  | {
      /** `renewed`: written again with what it said before. */
      readonly type: 'listed' | 'added' | 'changed' | 'renewed' | 'deleted';
      readonly revision: string;
      readonly lease: JudgedLease;
    };

/** Knows the leases as of the last event, so that a change can be told from a renewal and a conflict from none. */
export class LeaseFollower {
  readonly #scene: () => LeaseScene;
  #records = new Map<string, LeaseRecord>();
  #judge: LeaseJudge | undefined;

  /** `scene` is asked at every event: its time goes on. */
  constructor(scene: () => LeaseScene) {
    this.#scene = scene;
  }

  /** What an event of the store means. A deletion of what was not known is nothing. */
  take(event: StoreEvent): readonly LeaseEvent[] {
    switch (event.type) {
      case 'snapshot': {
        const { records, revision } = event.listing;
        this.#records = new Map(records.map((record) => [record.key, record]));
        this.#judge = undefined;
        const opening = { type: 'snapshot', revision, because: event.because, count: records.length } as const;
        return [opening, ...records.map((record) => this.#tell('listed', record, revision))];
      }
      case 'put': {
        const type = kindOfChange(this.#records.get(event.record.key), event.record);
        this.#records.set(event.record.key, event.record);
        if (type !== 'renewed') this.#judge = undefined;
        return [this.#tell(type, event.record, event.revision)];
      }
      case 'delete': {
        const record = this.#records.get(event.key);
        if (record === undefined) return [];
        const told = this.#tell('deleted', record, event.revision);
        this.#records.delete(event.key);
        this.#judge = undefined;
        return [told];
      }
    }
  }

  #tell(type: Exclude<LeaseEvent['type'], 'snapshot'>, record: LeaseRecord, revision: string): LeaseEvent {
    const scene = this.#scene();
    this.#judge ??= leaseJudge([...this.#records.values()], scene);
    return { type, revision, lease: judgeLease(record, { judge: this.#judge, scene }) };
  }
}

function kindOfChange(before: LeaseRecord | undefined, after: LeaseRecord): 'added' | 'changed' | 'renewed' {
  if (before === undefined) return 'added';
  return saidBy(before) === saidBy(after) ? 'renewed' : 'changed';
}

function saidBy(record: LeaseRecord): string {
  const hasTtl = record.expiresAt !== null;
  return JSON.stringify([record.kind, hasTtl, record.kind === 'lease' ? record.attributes : record.value]);
}
