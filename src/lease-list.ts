import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UsageError } from './errors.ts';
import { placeOf } from './lease-place.ts';
import type { LeaseSession } from './lease-session.ts';
import { type LeaseView, measureView, readView } from './lease-view.ts';
import { type JudgedLease, judgeLease } from './leases/judged.ts';
import { LEASE_STATES, type LeaseState, leaseJudge } from './leases/states.ts';
import { nearest } from './nearest.ts';
import { leaseItem, leaseListHead } from './render/lease-document.ts';
import { type LeaseTable, leaseName, leaseTable, type TableFormat } from './render/lease-table.ts';
import { jsonWithList } from './render/safe-json.ts';
import type { LeasePage } from './store/store.ts';

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

/** V8 lets garbage grow to ten times what is in use, half a gigabyte for fifty thousand calls. */
function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=30');
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/**
 * Prints the list, and resolves to it. Keys and values are read first, without their times: they tell how many there are, and all that one
 * lease says of another.
 */
export async function listLeases(session: LeaseSession, request: ListRequest): Promise<LeaseView> {
  const { format, ttl } = request;
  const overview = await overviewOf(session, request);
  if (ttl && overview.count > MANY) keepHeapSmall();
  const isWhole = !ttl || session.store.kind === 'kube';
  if (format !== 'text' && format !== 'wide') {
    const view = isWhole && overview.kind === 'small' ? overview.view : await withTimes(session, overview.known);
    const judged = isWhole ? view : await withStale(session, view);
    await printWhole(session, judged, { ...request, format });
    return judged;
  }
  const table = { ...request, format };
  if (overview.kind === 'large') return streamTable(session, overview.known, { ...table, rows: overview.table });
  const view = isWhole ? overview.view : await withStale(session, await withTimes(session, overview.known));
  printTable(view.leases, table);
  return view;
}

type Known = Pick<LeaseView, 'scene' | 'judge'>;

/** Of a large reading no more is kept than its rows need. */
type Overview = { readonly known: Known; readonly count: number } & (
  | { readonly kind: 'small'; readonly view: LeaseView }
  | { readonly kind: 'large'; readonly table: LeaseTable }
);

async function overviewOf(session: LeaseSession, { ttl, kubeconfigEnv, format }: ListRequest): Promise<Overview> {
  const view = await readView(session, { ttl: false, kubeconfigEnv });
  const { scene, judge, leases } = view;
  const base = { known: { scene, judge }, count: leases.length };
  if (leases.length <= STREAMED_FROM || !ttl || session.store.kind === 'kube') return { ...base, kind: 'small', view };
  return { ...base, kind: 'large', table: leaseTable(leases, format === 'wide' ? 'wide' : 'text') };
}

type TableRequest = ListRequest & { readonly format: TableFormat };

function printTable(leases: readonly JudgedLease[], request: TableRequest): void {
  const shown = leases.filter((lease) => isShown(lease, request.state));
  if (shown.length === 0) return;
  const table = leaseTable(shown, request.format);
  request.print([table.head, ...shown.map(table.row)].join('\n'));
}

/** Rows in the order of the listing, as their times come in; those that are overdue last, because their owners are measured. */
async function streamTable(
  session: LeaseSession,
  known: Known,
  request: TableRequest & { readonly rows: LeaseTable },
): Promise<LeaseView> {
  const table = request.rows;
  request.print(table.head);
  const printed = new Set<string>();
  const show = (leases: readonly JudgedLease[]) => {
    const rows = leases.filter((lease) => isShown(lease, request.state) && !printed.has(lease.record.key));
    for (const { record } of rows) printed.add(record.key);
    if (rows.length > 0) request.print(rows.map(table.row).join('\n'));
  };
  const onPage = ({ records }: LeasePage) => {
    const { judge, scene } = atThisMoment(session, known);
    show(records.map((record) => judgeLease(record, { judge, scene })).filter((lease) => !isOverdue(lease)));
  };
  const view = await withStale(session, await withTimes(session, known, onPage));
  show(view.leases);
  return view;
}

/** The leases with their times. Where rows went out already, what one lease says of another stays as it was then. */
async function withTimes(session: LeaseSession, known: Known, onPage?: (page: LeasePage) => void): Promise<LeaseView> {
  const listing = await session.store.listLeases(onPage === undefined ? {} : { onPage });
  const { scene, judge: before } = atThisMoment(session, known);
  const judge = onPage === undefined ? leaseJudge(listing.records, scene) : before;
  return { scene, judge, listing, leases: listing.records.map((record) => judgeLease(record, { scene, judge })) };
}

/** What is left of a time is counted from when it was read. */
function atThisMoment({ world }: LeaseSession, { scene, judge }: Known): Known {
  return { judge, scene: { ...scene, now: world.clock.now() } };
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
