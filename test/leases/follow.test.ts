import { describe, expect, it } from 'vitest';
import { type LeaseEvent, LeaseFollower } from '../../src/leases/follow.ts';
import type { LeaseRecord, StoreEvent } from '../../src/store/store.ts';
import { lease, scene } from './builders.ts';

const snapshot = (records: readonly LeaseRecord[], because: string | null = null): StoreEvent => ({
  ...{ type: 'snapshot', because },
  listing: { records, revision: '5', clusterId: null, source: 'etcd' },
});
const put = (record: LeaseRecord): StoreEvent => ({ type: 'put', record, revision: '6' });

function tell(...events: readonly StoreEvent[]): readonly LeaseEvent[] {
  const follower = new LeaseFollower(() => scene());
  return events.flatMap((event) => follower.take(event));
}

const short = (events: readonly LeaseEvent[]) =>
  events.map((event) => (event.type === 'snapshot' ? 'snapshot' : `${event.type} ${event.lease.record.key}`));

describe('following leases', () => {
  it('tells all there are first, and why again after a gap', () => {
    const events = tell(snapshot([lease(1)]), snapshot([lease(2)], 'compacted'));
    expect(short(events)).toEqual(['snapshot', 'listed 10.244.1.0-24', 'snapshot', 'listed 10.244.2.0-24']);
    expect(events[2]).toMatchObject({ because: 'compacted', count: 1 });
  });

  it('tells a renewal from a change and a new lease', () => {
    const moved = lease(1, { publicIp: '192.0.2.99' });
    const events = tell(snapshot([lease(1)]), put(lease(1)), put(moved), put(lease(2)));
    expect(short(events.slice(2))).toEqual(['renewed 10.244.1.0-24', 'changed 10.244.1.0-24', 'added 10.244.2.0-24']);
  });

  it('tells of a reservation that got a TTL as of a change', () => {
    expect(short(tell(snapshot([lease(1, { ttl: null })]), put(lease(1)))).at(-1)).toBe('changed 10.244.1.0-24');
  });

  it('tells what a deleted lease was', () => {
    const events = tell(snapshot([lease(1)]), { type: 'delete', key: '10.244.1.0-24', revision: '6' });
    expect(events.at(-1)).toMatchObject({
      type: 'deleted',
      lease: { record: { attributes: { publicIp: '192.0.2.1' } } },
    });
  });

  it('tells nothing of a deletion of what was not there', () => {
    expect(tell(snapshot([]), { type: 'delete', key: 'x', revision: '6' })).toHaveLength(1);
  });

  it('sees a conflict that a new lease brings', () => {
    const events = tell(snapshot([lease(1)]), put(lease(2, { publicIp: '192.0.2.1' })));
    expect(events.at(-1)).toMatchObject({ lease: { states: ['live', 'duplicate-ip'] } });
  });
});
