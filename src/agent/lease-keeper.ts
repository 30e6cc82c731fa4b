import { AbsentError, ConflictError, FlannelctlError } from '../errors.ts';
import type { Lease, LeaseAttributes, LeaseRecord } from '../store/store.ts';
import { acquireOwn } from './acquisition.ts';
import { type Board, settle } from './board.ts';
import { refuseForeignCluster } from './cluster.ts';
import { type CareStep, decideCare, type HeldLease, judgeRecord, type OwnLease, retryDelayMs } from './lease-care.ts';
import { problemText } from './problem.ts';

/** flannel pkg/subnet/etcd: subnetTTL; for a store that does not say when a lease ends. */
const LEASE_MS = 86_400_000;

/** Between two looks whether the Node is there and has its podCIDR, of which no event tells. */
const AWAIT_MS = 3000;

/** Between two looks whether the other host has given our subnet up. */
const LOOK_MS = 60_000;

/** Keeps the lease until `signal` aborts: renews, takes again, publishes changes; never writes what another host holds. */
export async function keepLease(board: Board, signal: AbortSignal): Promise<void> {
  const { clock } = board.parts;
  let retryAt = 0;
  while (!signal.aborted) {
    const now = clock.monotonic();
    const step = decideCare({ ...board, now, marginMs: marginOf(board), retryAt });
    if (step.act === 'rest') {
      const reasons = await board.care.next(Math.max(1, step.until - now), signal);
      // Something happened: the datastore answers again, or our record changed.
      if (reasons.size > 0) retryAt = 0;
      continue;
    }
    retryAt = await attempt(board, step);
  }
}

/** @returns monotonic ms before which nothing is tried again. */
async function attempt(board: Board, step: Exclude<CareStep, { act: 'rest' }>): Promise<number> {
  const { clock, log, measures } = board.parts;
  try {
    await perform(board, step);
    settleLease(board);
    return board.own.status === 'held' ? 0 : clock.monotonic() + LOOK_MS;
  } catch (error) {
    const problem = problemText(error);
    measures.datastoreError(step.act);
    settleFailure(board, problem);
    if (isAwaited(board, error)) return clock.monotonic() + AWAIT_MS;
    log.warn('the lease could not be cared for; trying again in a minute', { step: step.act, error: problem });
    return clock.monotonic() + retryDelayMs(Math.random());
  }
}

/** Whether somebody else has yet to do something: register the Node, give it a podCIDR. */
function isAwaited({ parts }: Board, error: unknown): boolean {
  return parts.store.assigned !== undefined && error instanceof AbsentError;
}

/** What /readyz says of the lease after an attempt that failed. */
export function settleFailure(board: Board, problem: string): void {
  if (board.own.status === 'none' || board.own.status === 'lost')
    settle(board, 'lease', `${leaseProblem(board.own)}: ${problem}`);
  else if (isOver(board)) settle(board, 'lease', `the lease was not renewed in time: ${problem}`);
}

function perform(board: Board, step: Exclude<CareStep, { act: 'rest' }>): Promise<void> {
  switch (step.act) {
    case 'renew':
      return renew(board, step.lease, step.why);
    case 'verify':
      return verify(board, step.lease);
    case 'acquire':
    case 'look':
      return acquireOwn(board);
  }
}

async function renew(board: Board, lease: Lease, why: string): Promise<void> {
  const { store, log } = board.parts;
  const { wanted } = board;
  try {
    const renewed = await store.renew(lease, wanted);
    board.own = heldLease(board, renewed, wanted);
    log.info('lease renewed', { subnet: renewed.subnet ?? renewed.ipv6Subnet, why });
    if (why === 'attributes') board.look.ring('what is published changed');
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    log.warn('the lease is not what it was; reading it again', { error: error.message });
    await verify(board, lease);
  }
}

/** Reads before anything is written: after a pause longer than the lease it may be another host's. */
async function verify(board: Board, lease: Lease): Promise<void> {
  const { store } = board.parts;
  const listing = await store.listLeases({ ttl: false });
  refuseForeignCluster(board, listing);
  const { records, revision } = listing;
  const found = records.find(({ key }) => key === lease.key);
  const [record] = found === undefined ? [] : await store.readTimes({ records: [found], revision });
  board.inDoubt = false;
  switch (judgeRecord(lease, record)) {
    case 'unchanged':
    case 'ours':
      return adopt(board, record);
    case 'gone':
      board.own = { status: 'lost', lease };
      board.parts.log.warn('the lease is gone; taking it again', { subnet: lease.subnet ?? lease.ipv6Subnet });
      return acquireOwn(board, listing);
    case 'theirs':
      return acquireOwn(board, listing);
  }
}

/** The record is ours, whoever of us wrote it last. */
function adopt(board: Board, record: LeaseRecord | undefined): void {
  const { own } = board;
  if (own.status !== 'held' || record?.kind !== 'lease') return;
  const isAsPublished = JSON.stringify(record.attributes) === JSON.stringify(own.lease.attributes);
  board.own = heldLease(board, record, isAsPublished ? own.asked : record.attributes);
  tellNewSubnet(board, own);
}

/** A Node that registers again may be given another podCIDR; pods that are there keep addresses that nobody routes any more. */
export function tellNewSubnet({ own, look, parts }: Board, before: OwnLease): void {
  if (own.status !== 'held' || before.status === 'none' || before.lease === null) return;
  const [now, then] = [own.lease, before.lease].map(({ subnet, ipv6Subnet }) =>
    [subnet, ipv6Subnet].filter((text) => text !== null).join(','),
  );
  if (now === undefined || then === undefined || now === then) return;
  parts.log.warn('this node has another subnet now; pods with addresses of the old one have to be made anew', {
    before: then,
    now,
  });
  look.ring('the subnet changed');
}

/** The clock of the day may jump: the end is kept as a distance from now. */
export function heldLease({ parts: { clock } }: Board, lease: Lease, asked: LeaseAttributes): HeldLease {
  const { expiresAt } = lease;
  const leftMs = expiresAt === undefined ? LEASE_MS : expiresAt === null ? null : expiresAt - clock.now();
  return { status: 'held', lease, asked, endsAt: leftMs === null ? null : clock.monotonic() + leftMs };
}

function marginOf({ settings }: Board): number {
  return settings.options.subnetLeaseRenewMarginMinutes * 60_000;
}

function isOver({ own, parts }: Board): boolean {
  return own.status === 'held' && own.endsAt !== null && own.endsAt <= parts.clock.monotonic();
}

/** What /readyz says of the lease. */
export function settleLease(board: Board): void {
  settle(board, 'lease', leaseProblem(board.own));
}

function leaseProblem(own: OwnLease): string | undefined {
  switch (own.status) {
    case 'held':
    case 'remembered':
      return undefined;
    case 'none':
      return 'this node has no lease yet';
    case 'lost':
      return 'the lease is gone and could not be taken again yet';
    case 'conflict':
      return own.message;
  }
}

/** Whether an error says that the subnet is another host's, as `up` words it. */
export function isHeldByAnother(error: unknown): error is FlannelctlError {
  return error instanceof FlannelctlError && error.code === 'lease-held';
}
