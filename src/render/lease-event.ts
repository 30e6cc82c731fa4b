import type { LeaseEvent } from '../leases/follow.ts';
import { API, leaseItem } from './lease-document.ts';
import { leaseTable } from './lease-table.ts';
import { padTo } from './width.ts';

const COLUMN = 'EVENT'.length + 3;

/** Lines for a person. The widths are those of the last snapshot; what comes later and is longer pushes its own line only. */
export function eventTable(): (events: readonly LeaseEvent[]) => readonly string[] {
  let table = leaseTable([], 'text');
  return (events) => {
    const leases = events.flatMap((event) => (event.type === 'snapshot' ? [] : [event.lease]));
    const isSnapshot = events.some(({ type }) => type === 'snapshot');
    if (isSnapshot) table = leaseTable(leases, 'text');
    const line = (name: string, rest: string) => `${padTo(name, COLUMN)}  ${rest}`;
    return events.map((event) =>
      event.type === 'snapshot' ? line('EVENT', table.head) : line(event.type, table.row(event.lease)),
    );
  };
}

/** One document a line. */
export function eventItem(event: LeaseEvent, language: 'en' | 'zh') {
  const { type, revision } = event;
  const head = { ...API, kind: 'LeaseEvent', type, revision };
  if (event.type === 'snapshot') return { ...head, because: event.because, leases: event.count };
  return { ...head, lease: leaseItem(event.lease, language) };
}
