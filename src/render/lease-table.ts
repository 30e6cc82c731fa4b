import type { JudgedLease } from '../leases/judged.ts';
import type { LeaseRecord } from '../store/store.ts';
import { shortDuration } from './duration.ts';
import { printable } from './printable.ts';
import { padTo, widthOf } from './width.ts';

export type TableFormat = 'text' | 'wide';

const HEADS = ['SUBNET', 'PUBLIC IP', 'BACKEND', 'VTEP MAC', 'EXPIRES', 'NODE', 'STATE'] as const;
const WIDE_HEADS = [...HEADS, 'VNI', 'ETCD LEASE', 'REVISION', 'KEY'] as const;
/** `1000000h59m`; etcd grants no longer lease. */
const EXPIRES_WIDTH = 7;
const MAX_CELL = 60;

export interface LeaseTable {
  readonly head: string;
  row(lease: JudgedLease): string;
}

/**
 * A table whose rows can be printed one by one: the widths are taken from all leases beforehand, by what does not depend on their time.
 */
export function leaseTable(leases: readonly JudgedLease[], format: TableFormat): LeaseTable {
  const heads: readonly string[] = format === 'wide' ? WIDE_HEADS : HEADS;
  const widths = heads.map((head) => (head === 'EXPIRES' ? EXPIRES_WIDTH : head.length));
  for (const lease of leases) {
    cellsOf(lease, format).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    });
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : padTo(cell, widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return { head: line(heads), row: (lease) => line(cellsOf(lease, format)) };
}

/** What a person calls the lease: its subnet; the key where that is none. */
export function leaseName(record: LeaseRecord): string {
  const subnet = record.kind === 'malformed-key' ? null : (record.subnet ?? record.ipv6Subnet);
  return subnet ?? cut(record.key);
}

/** `23h59m`; `never`; `-`: was not asked for, or there is no such thing, as with Kubernetes. */
export function expiryText({ record, ttlSeconds, notReadySince }: JudgedLease): string {
  if (record.node !== null && notReadySince !== undefined) return notReadyText(notReadySince);
  if (ttlSeconds === undefined || record.node !== null) return '-';
  return ttlSeconds === null ? 'never' : shortDuration(ttlSeconds);
}

/** What comes nearest to an end of a lease in Kubernetes. */
export function notReadyText(since: number | null): string {
  return since === null ? 'NotReady' : `NotReady since ${new Date(since).toISOString().replace(/\.\d+Z$/, 'Z')}`;
}

function cellsOf(lease: JudgedLease, format: TableFormat): readonly string[] {
  const { record, states, node } = lease;
  const attributes = record.kind === 'lease' ? record.attributes : undefined;
  const vtep = attributes?.vtep ?? attributes?.vtepV6 ?? null;
  const cells = [
    subnetsOf(record),
    both(attributes?.publicIp, attributes?.publicIpv6),
    cut(attributes?.backendType || '-'),
    both(attributes?.vtep?.mac, attributes?.vtepV6?.mac),
    expiryText(lease),
    cut(node ?? '-'),
    states.join(',') || '-',
  ];
  if (format === 'text') return cells;
  return [
    ...cells,
    vtep === null ? '-' : String(vtep.vni),
    record.etcdLease ?? '-',
    record.modRevision,
    cut(record.key),
  ];
}

function subnetsOf(record: LeaseRecord): string {
  return record.kind === 'malformed-key' ? cut(record.key) : both(record.subnet, record.ipv6Subnet);
}

function both(first: string | null | undefined, second: string | null | undefined): string {
  if (!second) return first || '-';
  return [first, second].filter((one) => one !== null && one !== undefined).join(',') || '-';
}

/** Text from outside, short enough for a column. */
function cut(text: string): string {
  const shown = printable(text.slice(0, MAX_CELL + 1));
  return shown.length > MAX_CELL ? `${shown.slice(0, MAX_CELL - 1)}…` : shown;
}
