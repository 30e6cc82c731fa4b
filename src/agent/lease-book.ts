import type { LeaseListing, LeaseRecord, StoreEvent } from '../store/store.ts';

/** Where the records of a {@link LeaseBook} come from. */
export type BookSource =
  | 'nowhere'
  /** A complete listing of the datastore, followed without a gap since. */
  | 'datastore'
  /** It was; at the moment the datastore cannot be followed. */
  | 'interrupted'
  /** The state file or `--leases-file`: never complete, never current. */
  | 'memory';

/** What is known of all leases. */
export class LeaseBook {
  readonly #records = new Map<string, LeaseRecord>();
  readonly #holders = new Map<string, LeaseRecord>();
  #deleted: (readonly string[])[] = [];
  #source: BookSource = 'nowhere';
  #clusterId: string | null = null;
  #version = 0;
  #isRewound = false;

  get source(): BookSource {
    return this.#source;
  }

  get clusterId(): string | null {
    return this.#clusterId;
  }

  /** Changes with each change of the records. */
  get version(): number {
    return this.#version;
  }

  get records(): readonly LeaseRecord[] {
    return [...this.#records.values()];
  }

  get(key: string): LeaseRecord | undefined {
    return this.#records.get(key);
  }

  /** The subnets of each lease that an event deleted, or that it had before an event gave it others, since it was last asked. */
  takeDeleted(): readonly (readonly string[])[] {
    const deleted = this.#deleted;
    this.#deleted = [];
    return deleted;
  }

  /** Whether the datastore went back to an earlier time since it was last asked: what it lacks may be younger than its backup. */
  takeRewound(): boolean {
    const isRewound = this.#isRewound;
    this.#isRewound = false;
    return isRewound;
  }

  /** Another cluster is the datastore now, with what a backup had. */
  moveTo(clusterId: string): void {
    this.#clusterId = clusterId;
    this.#isRewound = true;
  }

  learn(event: StoreEvent): void {
    this.#version += 1;
    switch (event.type) {
      case 'snapshot':
        this.replace(event.listing);
        if (event.because === 'restored') this.#isRewound = true;
        break;
      case 'put': {
        const kept = subnetsOf(event.record);
        const left = subnetsOf(this.#records.get(event.record.key)).filter((subnet) => !kept.includes(subnet));
        if (left.length > 0) this.#deleted.push(left);
        this.#set(event.record);
        break;
      }
      case 'delete': {
        const subnets = subnetsOf(this.#records.get(event.key));
        if (subnets.length > 0) this.#deleted.push(subnets);
        this.#records.delete(event.key);
      }
    }
  }

  /** A complete listing, read just now. */
  replace({ records, clusterId }: Pick<LeaseListing, 'records' | 'clusterId'>): void {
    this.#version += 1;
    this.#deleted = [];
    this.#records.clear();
    for (const record of records) this.#set(record);
    this.#clusterId = clusterId;
    this.#source = 'datastore';
  }

  /** What was known at another time: good for additions, never for removals. */
  remember(records: readonly LeaseRecord[], clusterId: string | null): void {
    this.#version += 1;
    this.#clusterId = clusterId;
    for (const record of records) this.#set(record);
    this.#source = 'memory';
  }

  /** Who has, or had last, each of these subnets, as far as it was ever heard. */
  lastHolders(subnets: readonly string[]): readonly LeaseRecord[] {
    return [...new Set(subnets.flatMap((subnet) => this.#holders.get(subnet) ?? []))];
  }

  interrupt(): void {
    if (this.#source === 'datastore') this.#source = 'interrupted';
  }

  #set(record: LeaseRecord): void {
    this.#records.set(record.key, record);
    for (const subnet of subnetsOf(record)) this.#holders.set(subnet, record);
  }
}

/** CIDR notation, of both families. */
export function subnetsOf(record: LeaseRecord | undefined): readonly string[] {
  if (record === undefined || record.kind === 'malformed-key') return [];
  return [record.subnet, record.ipv6Subnet].filter((subnet) => subnet !== null);
}
