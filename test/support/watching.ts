import type { UnavailableError } from '../../src/errors.ts';
import type { StoreEvent, SubnetStore, WatchOptions } from '../../src/store/store.ts';

export interface Watching {
  readonly events: readonly StoreEvent[];
  readonly interruptions: readonly UnavailableError[];
  /** Resolves when it is true of the events; rejects after 15 s, telling them. */
  until(isTrue: (events: readonly StoreEvent[]) => boolean): Promise<void>;
  /** Ends the watch; rejects when it ended by an error. */
  end(): Promise<void>;
}

/** Collects what a watch tells; `each` may take its time with an event. */
export function watching(
  store: SubnetStore,
  each: (event: StoreEvent) => unknown = () => undefined,
  options: WatchOptions = {},
): Watching {
  const controller = new AbortController();
  const events: StoreEvent[] = [];
  const interruptions: UnavailableError[] = [];
  const follow = async () => {
    const onInterruption = (error: UnavailableError) => void interruptions.push(error);
    for await (const event of store.watch(controller.signal, { ...options, onInterruption })) {
      events.push(event);
      await each(event);
    }
  };
  const done = follow();
  const until: Watching['until'] = async (isTrue) => {
    const giveUpAt = Date.now() + 15_000;
    while (!isTrue(events)) {
      if (Date.now() > giveUpAt)
        throw new Error(`it did not happen: ${JSON.stringify(events.map(briefly).slice(-20))}`);
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
  };
  const end = () => {
    controller.abort();
    return done;
  };
  return { events, interruptions, until, end };
}

/** `snapshot null 2`, `put 10.244.7.0-24`, `delete 10.244.7.0-24`. */
export function briefly(event: StoreEvent): string {
  switch (event.type) {
    case 'snapshot':
      return `snapshot ${event.because} ${event.listing.records.length}`;
    case 'put':
      return `put ${event.record.key}`;
    case 'delete':
      return `delete ${event.key}`;
  }
}

export function countOf(events: readonly StoreEvent[], type: StoreEvent['type']): number {
  return events.filter((event) => event.type === type).length;
}
