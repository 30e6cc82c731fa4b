import type { LeaseRecord } from '../store/store.ts';
import type {
  ActualOverlay,
  AddressEntry,
  DesiredOverlay,
  Entry,
  FdbEntry,
  LinkEntry,
  NeighbourEntry,
  Operation,
  OverlayPlan,
  RouteEntry,
} from './entry.ts';

export type EntryKind = Entry['kind'];

interface EntryByKind {
  readonly link: LinkEntry;
  readonly address: AddressEntry;
  readonly neighbour: NeighbourEntry;
  readonly fdb: FdbEntry;
  readonly route: RouteEntry;
}

/** An operation of one kind, with its entries in the types of that kind. */
export interface Change<K extends EntryKind> {
  readonly verb: Operation['verb'];
  readonly entry: EntryByKind[K];
  /** What is there now; `undefined`: nothing, or it is in order. */
  readonly before: EntryByKind[K] | undefined;
  readonly operation: Operation;
}

/** What the plan says of one kind. What is only planned anew because its link is made anew is told as what it is now. */
export function changesOf<K extends EntryKind>(plan: OverlayPlan, kind: K): readonly Change<K>[] {
  return plan.operations.flatMap((operation) => {
    const entry = ofKind(operation.entry, kind);
    if (entry === undefined) return [];
    const before = operation.before === undefined ? undefined : ofKind(operation.before, kind);
    return [{ verb: verbNow(operation), entry, before, operation }];
  });
}

/** How many entries of ours the kernel still holds on a device, by kind; a kind is left out when nothing is said of it. */
export type EntriesLeft = Readonly<Partial<Record<EntryKind, number>>>;

/** A link of ours: what it should be, what it is. */
export interface LinkState {
  readonly desired: LinkEntry;
  /** `undefined`: there is no vxlan device of that name. */
  readonly actual: LinkEntry | undefined;
  readonly operation: Operation;
}

/** Every link the plan speaks of, except those it only removes. */
export function linkStates(plan: OverlayPlan, actual: ActualOverlay): readonly LinkState[] {
  return changesOf(plan, 'link')
    .filter(({ verb }) => verb !== 'delete')
    .map(({ entry, operation }) => ({
      desired: entry,
      actual: actual.links.find(({ device }) => device === entry.device),
      operation,
    }));
}

/** How many entries of these kinds, of those that the plan wants on the device, are in order. */
export function entriesLeft(plan: OverlayPlan, device: string, kinds: readonly EntryKind[]): EntriesLeft {
  const kept = (kind: EntryKind) =>
    changesOf(plan, kind).filter(({ verb, entry }) => verb === 'keep' && entry.device === device).length;
  return Object.fromEntries(kinds.map((kind) => [kind, kept(kind)]));
}

/** One sentence about a device, in both languages. */
export type SayOfDevice = (device: string) => { readonly en: string; readonly zh: string };

/**
 * An edge from a link's finding to that of an entry on it: holds when the link's values say that every entry of this kind on the device
 * is gone. One entry that is left proves that the others were lost later and otherwise, because the kernel flushes all or none.
 */
export function allGone(kind: EntryKind, say: SayOfDevice) {
  return (cause: { readonly values: unknown }, own: { readonly values: { readonly device: string | null } }) => {
    const { device } = own.values;
    return device !== null && saysAllGone(cause.values, device, kind) ? say(device) : undefined;
  };
}

/** The plan's additions of these kinds on one device: what is missing, and what goes with a link that is made anew. */
export function additionsOn(plan: OverlayPlan, device: string, kinds: readonly EntryKind[]): readonly Operation[] {
  return kinds.flatMap((kind) =>
    plan.operations.filter(({ verb, entry }) => verb === 'add' && entry.kind === kind && entry.device === device),
  );
}

/** Leases that cannot be programmed, and yet are somebody's. */
export interface IgnoredPeers {
  readonly subnets: ReadonlySet<string>;
  /** Network addresses of the subnets. */
  readonly overlayIps: ReadonlySet<string>;
  readonly publicIps: ReadonlySet<string>;
}

/** Whom entries may still serve although nobody would make them today: nothing of theirs is called nobody's. */
export function ignoredPeers({ ignored }: DesiredOverlay, records: readonly LeaseRecord[]): IgnoredPeers {
  const keys = new Set(ignored.map(({ key }) => key));
  const leases = records.flatMap((record) => (record.kind !== 'malformed-key' && keys.has(record.key) ? [record] : []));
  const subnets = leases.flatMap(({ subnet, ipv6Subnet }) => [subnet, ipv6Subnet].filter((one) => one !== null));
  const publicIps = leases.flatMap((lease) =>
    lease.kind === 'lease' ? [lease.attributes.publicIp, lease.attributes.publicIpv6].filter((ip) => ip !== null) : [],
  );
  return {
    subnets: new Set(subnets),
    overlayIps: new Set(subnets.map((subnet) => subnet.slice(0, subnet.indexOf('/')))),
    publicIps: new Set(publicIps),
  };
}

/** Changes nothing of a link but what is named. */
export function changeLink(actual: LinkEntry, to: Partial<LinkEntry>): Operation {
  return { verb: 'replace', entry: { ...actual, ...to }, before: actual, subject: 'node' };
}

/** Whether a device carries the IPv6 overlay, on which the kernel flushes addresses too. */
export function isIpv6Link({ local }: LinkEntry): boolean {
  return local?.includes(':') ?? false;
}

/** Whom an operation is about, as findings name it. */
export function aboutOf({ subject }: Pick<Operation, 'subject'>): readonly ['node' | `subnet:${string}`] {
  return subject === 'node' ? ['node'] : [`subnet:${subject.subnet}`];
}

function saysAllGone(values: unknown, device: string, kind: EntryKind): boolean {
  if (typeof values !== 'object' || values === null || !('device' in values) || !('left' in values)) return false;
  const { left } = values;
  if (values.device !== device || typeof left !== 'object' || left === null) return false;
  return Object.entries(left).some(([name, count]) => name === kind && count === 0);
}

function ofKind<K extends EntryKind>(entry: Entry, kind: K): EntryByKind[K] | undefined {
  return isOfKind(entry, kind) ? entry : undefined;
}

function isOfKind<K extends EntryKind>(entry: Entry, kind: K): entry is Entry & EntryByKind[K] {
  return entry.kind === kind;
}

function verbNow({ verb, entry, before }: Operation): Operation['verb'] {
  if (verb !== 'add' || before === undefined) return verb;
  return isEqual(entry, before) ? 'keep' : 'replace';
}

/** Entries are flat records of JSON values. */
function isEqual(entry: Entry, before: Entry): boolean {
  const values = new Map(Object.entries(before));
  return Object.entries(entry).every(([name, value]) => values.get(name) === value);
}
