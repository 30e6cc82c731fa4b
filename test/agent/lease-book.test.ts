import { describe, expect, it } from 'vitest';
import { LeaseBook } from '../../src/agent/lease-book.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import type { Lease } from '../../src/store/store.ts';
import { aConfig, actualOf, aDesired, aLease, changesOf } from '../dataplane/builders.ts';

/** What is known after these changes of two peers. */
function bookOf(...changes: readonly Lease[]): LeaseBook {
  const book = new LeaseBook();
  const listing = { records: [aLease(2), aLease(3)], revision: '1', clusterId: null, source: 'test' };
  book.learn({ type: 'snapshot', listing, because: null });
  for (const record of changes) book.learn({ type: 'put', record, revision: '2' });
  return book;
}

describe('a changed lease', () => {
  it('counts its old subnet as let go by that one event', () => {
    const { key } = aLease(2);
    expect(bookOf(aLease(9, { key })).takeDeleted()).toEqual([['10.244.2.0/24', 'fc00:0:0:2::/64']]);
  });

  it('lets nothing go where the subnet stays', () => {
    expect(bookOf(aLease(2, {}, { publicIp: '192.168.9.77' })).takeDeleted()).toEqual([]);
  });

  it('of both families changes the kernel where only its IPv4 fields changed, and only there', () => {
    const config = aConfig({ enableIPv6: true });
    const before = actualOf(aDesired({ config, leases: [aLease(2), aLease(3)] }));
    const { records } = bookOf(aLease(2, {}, { publicIp: '192.168.9.77' }));
    const plan = planOverlay(aDesired({ config, leases: records }), before, { removals: true });
    expect(changesOf(plan)).toMatchObject([
      { verb: 'replace', entry: { kind: 'fdb', device: 'flannel.1', mac: '02:00:00:00:00:02', dst: '192.168.9.77' } },
    ]);
  });
});
