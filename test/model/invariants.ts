import { overlaps, parseCidr } from '../../src/net/cidr.ts';
import type { LeaseRecord } from '../../src/store/store.ts';
import type { Deed, PruneDeed, RestoreDeed, Write } from './deeds.ts';
import type { Change, Stood } from './past.ts';

/** What must never be found in the history of a world. */
export class Violation extends Error {}

/** Renewals by LeaseKeepAlive, by etcd lease: no revision tells of them. */
export type KeptAlive = ReadonlyMap<string, readonly { readonly at: number; readonly endsAt: number }[]>;

/** @throws {Violation} when the change is one that must not be. */
export function assertAllowed(change: Change, keptAlive: KeptAlive): void {
  const { key, write, after } = change;
  if (write === undefined) throw violation(change, 'nobody wrote it');
  if (!isRecord(key)) assertWith(change, write.deed.kind === 'setup', 'the configuration was touched');
  else if (after === undefined) assertDeletion(change, write, keptAlive);
  else assertPut(change, write.deed, after);
}

function assertPut(change: Change, deed: Deed, after: Stood): void {
  const { before } = change;
  switch (deed.kind) {
    // what flannel and administrators do is not ours
    case 'setup':
    case 'administration':
    case 'flannel':
      break;
    case 'expiry':
    case 'prune':
      throw violation(change, `${deed.kind} wrote a record`);
    case 'acquire':
      assertWith(change, ownerOf(after) === deed.publicIp, 'it was acquired for somebody else');
      assertOwned(change, after);
      break;
    case 'renew':
      assertWith(change, before !== undefined, 'a renewal made a record anew');
      assertWith(change, revisionOf(before) === deed.lease.modRevision, 'a renewal did not compare');
      assertOwned(change, after);
      break;
    case 'restore':
      assertPutBack(change, deed, after);
  }
}

function assertDeletion(change: Change, write: Write, keptAlive: KeptAlive): void {
  const { deed } = write;
  switch (deed.kind) {
    case 'expiry':
    case 'administration':
      break;
    case 'prune':
      assertPruned(change, deed, { write, keptAlive });
      break;
    case 'setup':
    case 'flannel':
    case 'acquire':
    case 'renew':
    case 'restore':
      throw violation(change, `${deed.kind} deleted a record`);
  }
}

interface Circumstances {
  readonly write: Write;
  readonly keptAlive: KeptAlive;
}

function assertPruned(change: Change, deed: PruneDeed, { write, keptAlive }: Circumstances): void {
  const { before, key } = change;
  const planned = deed.planned.get(key);
  if (planned === undefined || before === undefined) throw violation(change, 'prune deleted what it had not planned');
  const { record } = planned;
  const isSame = revisionOf(before) === record.modRevision && before.record.etcdLease === record.etcdLease;
  assertWith(change, isSame, 'prune deleted a record that was written after its plan');
  // What was left when the transaction came is less than what was left when the TTL was read again just before.
  const isRenewed = (keptAlive.get(before.leaseId) ?? []).some(
    ({ at, endsAt }) =>
      at > deed.listedAt && at < write.beganAt && endsAt - write.sentAt > ((planned.ttlSeconds ?? 0) + 60) * 1000,
  );
  assertWith(change, !isRenewed, 'prune deleted a lease that was kept alive after its plan');
  assertSilent(change, deed, before.record);
  const saved = deed.saved.get(key);
  const isSaved = saved?.record.valueBase64 === before.valueBase64 && saved.at <= write.beganAt;
  assertWith(change, isSaved, 'prune deleted a record before it was in a backup');
}

/** A reservation or a key that flannel refuses has no owner who could answer; a lease has. */
function assertSilent(change: Change, deed: PruneDeed, record: LeaseRecord): void {
  const owner = record.kind === 'lease' ? record.attributes.publicIp : null;
  const told = deed.measured.get(record.key);
  assertWith(change, told !== 'answers', 'prune deleted the lease of an owner that answers');
  const isNobodys = record.etcdLease === null;
  assertWith(change, isNobodys || told === 'silent', 'prune deleted a lease whose owner was not silent');
  assertWith(change, owner === null || owner !== deed.ownIp, 'prune deleted the lease of its own host');
}

/** One subnet one owner, one owner one subnet, and nobody's record written over. */
function assertOwned(change: Change, after: Stood): void {
  const { before, others } = change;
  const isTakenOver = before !== undefined && ownerOf(before) !== ownerOf(after);
  assertWith(change, !isTakenOver, 'a record of another owner was written over');
  if (before !== undefined) return;
  const rival = others.find((other) => isOverlapping(other, after) || ownerOf(other) === ownerOf(after));
  assertWith(change, rival === undefined, `its place was taken by ${rival?.record.key}`);
}

function assertPutBack(change: Change, { backup }: RestoreDeed, after: Stood): void {
  const saved = backup.records.find(({ key }) => key === change.key);
  assertWith(change, saved?.valueBase64 === after.valueBase64, 'what was put back is not what the backup holds');
  assertWith(change, change.before === undefined, 'a record was put back over another one');
  assertWith(change, (saved?.ttlSeconds === null) === (after.leaseId === '0'), 'its TTL is not that of the backup');
  const rival = change.others.find((other) => isRival(other, after));
  assertWith(change, rival === undefined, `it was put back although its place was taken by ${rival?.record.key}`);
}

/** Whether one takes the other's place: an overlapping subnet, the same public IP, the same VTEP MAC. */
export function isRival(a: Stood, b: Stood): boolean {
  const isSameOwner = ownerOf(a) !== null && ownerOf(a) === ownerOf(b);
  const isSameMac = macOf(a) !== null && macOf(a) === macOf(b);
  return isSameOwner || isSameMac || isOverlapping(a, b);
}

export function ownerOf({ record }: Stood): string | null {
  return record.kind === 'lease' ? record.attributes.publicIp : null;
}

function macOf({ record }: Stood): string | null {
  return record.kind === 'lease' ? (record.attributes.vtep?.mac ?? null) : null;
}

function isOverlapping(a: Stood, b: Stood): boolean {
  const networks = networksOf(b.record);
  return networksOf(a.record).some((one) => networks.some((other) => overlaps(one, other)));
}

function networksOf(record: LeaseRecord) {
  if (record.kind === 'malformed-key') return [];
  return [record.subnet, record.ipv6Subnet].flatMap((text) => parseCidr(text ?? '') ?? []);
}

function revisionOf(stood: Stood | undefined): string | undefined {
  return stood?.record.modRevision;
}

/** Records have names; what lies beside them keeps its whole path. */
function isRecord(key: string): boolean {
  return !key.startsWith('/');
}

function assertWith(change: Change, isTrue: boolean, text: string): void {
  if (!isTrue) throw violation(change, text);
}

function violation({ key, revision, write }: Change, text: string): Violation {
  return new Violation(`${key} at revision ${revision} (${write?.deed.kind ?? 'unknown'}): ${text}`);
}
