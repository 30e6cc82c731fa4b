import type { IEvent } from 'etcd3';
import { decodeRecord } from '../../src/store/codec.ts';
import { type KeyNamer, keyNamer, rawRecordOf } from '../../src/store/etcd-records.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import type { Write } from './deeds.ts';

/** A record as it stood in etcd. */
export interface Stood {
  readonly record: LeaseRecord;
  readonly valueBase64: string;
  /** Lease id as etcd's API has it; `'0'`: none. */
  readonly leaseId: string;
}

/** One change, with what stood there before and what stands beside it. */
export interface Change {
  readonly key: string;
  readonly revision: string;
  readonly before: Stood | undefined;
  /** `undefined`: it was deleted. */
  readonly after: Stood | undefined;
  /** `undefined`: nobody of this world did it. */
  readonly write: Write | undefined;
  /** All other records after the change. */
  readonly others: readonly Stood[];
}

/** The records of one world, as its history tells them. */
export interface Past {
  readonly standing: ReadonlyMap<string, Stood>;
  /** The newest revision that was heard of. */
  readonly heard: bigint;
  hear(event: IEvent): void;
  /** Tells what was heard; to be called when every call that is through has been noted. */
  tell(): void;
}

export interface PastOptions {
  readonly prefix: string;
  readonly writes: ReadonlyMap<string, Write>;
  readonly onChange: (change: Change) => void;
}

export function pastOf({ prefix, writes, onChange }: PastOptions): Past {
  const standing = new Map<string, Stood>();
  const heard: IEvent[] = [];
  let newest = 0n;
  const nameOf = keyNamer(prefix);
  const apply = (event: IEvent) => {
    const after = event.type === 'Put' ? stoodOf(event, nameOf) : undefined;
    const { key } = rawRecordOf(event.kv, nameOf);
    const before = standing.get(key);
    if (after === undefined) standing.delete(key);
    else standing.set(key, after);
    return { key, before, after };
  };
  const tellRevision = (revision: string) => {
    const end = heard.findIndex(({ kv }) => kv.mod_revision !== revision);
    const changes = heard.splice(0, end === -1 ? heard.length : end).map(apply);
    for (const change of changes) {
      const others = [...standing.values()].filter(({ record }) => record.key !== change.key);
      onChange({ ...change, revision, write: writes.get(revision), others });
    }
  };
  return {
    standing,
    get heard() {
      return newest;
    },
    hear: (event) => {
      heard.push(event);
      newest = BigInt(event.kv.mod_revision);
    },
    tell: () => {
      for (let next = heard[0]; next !== undefined; next = heard[0]) tellRevision(next.kv.mod_revision);
    },
  };
}

function stoodOf({ kv }: IEvent, nameOf: KeyNamer): Stood {
  return {
    record: decodeRecord(rawRecordOf(kv, nameOf)),
    valueBase64: kv.value.toString('base64'),
    leaseId: kv.lease,
  };
}
