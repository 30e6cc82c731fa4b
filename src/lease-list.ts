import { UsageError } from './errors.ts';
import { placeOf } from './lease-place.ts';
import type { LeaseSession } from './lease-session.ts';
import { type LeaseView, measureView, readView } from './lease-view.ts';
import { type JudgedLease, judgeLease } from './leases/judged.ts';
import { LEASE_STATES, type LeaseState } from './leases/states.ts';
import { nearest } from './nearest.ts';
import { leaseItem, leaseListHead } from './render/lease-document.ts';
import { leaseName, leaseTable, type TableFormat } from './render/lease-table.ts';
import { jsonWithList } from './render/safe-json.ts';

export interface ListRequest {
  readonly format: TableFormat | 'json' | 'yaml' | 'name';
  readonly language: 'en' | 'zh';
  readonly ttl: boolean;
  readonly state: LeaseState | undefined;
  readonly kubeconfigEnv: string | undefined;
  /** One or more whole lines of the report. */
  readonly print: (text: string) => void;
}

/** @throws {UsageError} for a state there is not, or one that cannot be told without the time left. */
export function wantedState(state: string | undefined, ttl: boolean): LeaseState | undefined {
  if (state === undefined) return undefined;
  const found = LEASE_STATES.find((one) => one === state);
  if (found === undefined) {
    const meant = nearest(state, LEASE_STATES);
    const hint = `${meant === undefined ? '' : `Did you mean ${meant}? `}There are ${LEASE_STATES.join(', ')}.`;
    throw new UsageError(`there is no state ${JSON.stringify(state)}`, { hint });
  }
  if (!ttl && ['live', 'overdue', 'stale'].includes(found)) {
    throw new UsageError(`whether a lease is ${found} is not known without its TTL`, { hint: 'Leave --no-ttl out.' });
  }
  return found;
}

/** So many overdue owners are measured for a list; more are a matter for prune. */
const MAX_MEASURED = 32;
/** More than a page: rows are shown while the rest is read. */
const STREAMED_FROM = 1000;

/** So many that the garbage of their calls is worth the time of collecting it. */
const MANY = 20_000;

/**
 * Prints the list, and resolves to it. Keys and values are read first, without their times: they tell how many there are, and all that one
 * lease says of another.
 */
export async function listLeases(session: LeaseSession, request: ListRequest): Promise<LeaseView> {
  const { format, ttl, kubeconfigEnv } = request;
  const untimed = await readView(session, { ttl: false, kubeconfigEnv });
  if (ttl && untimed.leases.length > MANY) await session.world.keepMemorySmall();
  const isWhole = !ttl || session.store.kind === 'kube';
  if (format !== 'text' && format !== 'wide') {
    const view = isWhole ? untimed : await withStale(session, await withTimes(session, untimed));
    await printWhole(session, view, { ...request, format });
    return view;
  }
  const table = { ...request, format };
  if (!isWhole && untimed.leases.length > STREAMED_FROM) return streamTable(session, untimed, table);
  const view = isWhole ? untimed : await withStale(session, await withTimes(session, untimed));
  printTable(view.leases, table);
  return view;
}

type TableRequest = ListRequest & { readonly format: TableFormat };

function printTable(leases: readonly JudgedLease[], request: TableRequest): void {
  const shown = leases.filter((lease) => isShown(lease, request.state));
  if (shown.length === 0) return;
  const table = leaseTable(shown, request.format);
  request.print([table.head, ...shown.map(table.row)].join('\n'));
}

/** Rows in the order of the listing, as their times come in; those that are overdue last, because their owners are measured. */
async function streamTable(session: LeaseSession, untimed: LeaseView, request: TableRequest): Promise<LeaseView> {
  const table = leaseTable(untimed.leases, request.format);
  request.print(table.head);
  const show = (leases: readonly JudgedLease[]) => {
    const rows = leases.filter((lease) => isShown(lease, request.state));
    if (rows.length > 0) request.print(rows.map(table.row).join('\n'));
  };
  const timed = await withTimes(session, untimed, (page) => show(page.filter((lease) => !isOverdue(lease))));
  const overdue = new Set(timed.leases.filter(isOverdue).map(({ record }) => record.key));
  const view = await withStale(session, timed);
  show(view.leases.filter(({ record }) => overdue.has(record.key)));
  return view;
}

/** The leases with their times, page by page; what one lease says of another stays. */
async function withTimes(
  { store, world }: LeaseSession,
  untimed: LeaseView,
  onPage?: (page: readonly JudgedLease[]) => void,
): Promise<LeaseView> {
  const { judge, listing } = untimed;
  const leases: JudgedLease[] = [];
  // what is left of a time is counted from when it was read
  const atThisMoment = () => ({ ...untimed.scene, now: world.clock.now() });
  const records = await store.readTimes(listing, (page) => {
    const scene = atThisMoment();
    const judged = page.records.map((record) => judgeLease(record, { judge, scene }));
    for (const lease of judged) leases.push(lease);
    onPage?.(judged);
  });
  return { scene: atThisMoment(), judge, listing: { ...listing, records }, leases };
}

async function withStale(session: LeaseSession, view: LeaseView): Promise<LeaseView> {
  const candidates = view.leases.filter((lease) => isOverdue(lease) && !lease.states.includes('this-host'));
  if (candidates.length > MAX_MEASURED || session.store.kind === 'kube') return view;
  const isWanted = (lease: JudgedLease) => candidates.includes(lease);
  return measureView(session, view, { isWanted, onlyProof: true });
}

async function printWhole(
  session: LeaseSession,
  { listing, leases }: LeaseView,
  { format, language, state, print }: ListRequest & { readonly format: 'json' | 'yaml' | 'name' },
): Promise<void> {
  const items = leases.filter((lease) => isShown(lease, state));
  const describe = (lease: JudgedLease) => leaseItem(lease, language);
  const document = { head: leaseListHead(placeOf(session, listing)), name: 'items', items, describe };
  switch (format) {
    case 'name':
      print(items.map(({ record }) => leaseName(record)).join('\n'));
      break;
    case 'json':
      for (const piece of jsonWithList(document)) print(piece);
      break;
    case 'yaml': {
      const { yamlWithList } = await import('./render/yaml.ts');
      for (const piece of yamlWithList(document)) print(piece);
      break;
    }
  }
}

function isShown({ states }: JudgedLease, state: LeaseState | undefined): boolean {
  return state === undefined || states.includes(state);
}

function isOverdue({ states }: JudgedLease): boolean {
  return states.includes('overdue');
}
