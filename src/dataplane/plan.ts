import { containsIp, parseCidr } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import { DEFAULT_PORT } from './device.ts';
import type {
  ActualOverlay,
  AddressEntry,
  DesiredEntry,
  DesiredOverlay,
  Entry,
  FdbEntry,
  LinkEntry,
  NeighbourEntry,
  Operation,
  OverlayPlan,
} from './entry.ts';
import { entryKey } from './key.ts';
import { planRoutes } from './plan-routes.ts';

export interface PlanOptions {
  /** Whether what nobody needs is deleted: only when the list of leases is complete and current. */
  readonly removals: boolean;
}

/** The difference between what should be and what is. Pure; linear in the number of entries. */
export function planOverlay(desired: DesiredOverlay, actual: ActualOverlay, { removals }: PlanOptions): OverlayPlan {
  const links = planLinks(desired, actual);
  const blocked = new Set(Object.keys(actual.strangers));
  const remade = new Set(links.filter(({ recreate }) => recreate === true).map(({ entry }) => deviceOf(entry)));
  const wanted = desired.entries.filter(({ entry }) => entry.kind !== 'link' && !blocked.has(deviceOf(entry) ?? ''));
  const operations = [...planKept(wanted, actual), ...planRoutes({ desired, wanted, actual, removals })];
  const deletions = removals ? planRemovals(desired, actual) : [];
  return {
    operations: [...links, ...operations.map((operation) => againOnNewLink(operation, remade)), ...deletions].filter(
      ({ verb, entry }) => verb !== 'delete' || !remade.has(deviceOf(entry)),
    ),
  };
}

function planLinks(desired: DesiredOverlay, actual: ActualOverlay): readonly Operation[] {
  const links = new Map(actual.links.map((link) => [link.device, link]));
  return desired.entries.flatMap(({ entry, subject }) => {
    if (entry.kind !== 'link') return [];
    if (actual.strangers[entry.device] !== undefined) return { verb: 'foreign', entry, subject };
    const before = links.get(entry.device);
    if (before === undefined) return { verb: 'add', entry, subject };
    if (isOther(entry, before)) return { verb: 'replace', entry, before, subject, recreate: true };
    return isLinkInOrder(entry, before)
      ? { verb: 'keep', entry, subject }
      : { verb: 'replace', entry, before, subject };
  });
}

/** What the kernel cannot change on a living device (flannel vxlanLinksIncompat): a value that either side leaves open does not count. */
function isOther(wanted: LinkEntry, before: LinkEntry): boolean {
  return (
    wanted.vni !== before.vni ||
    (wanted.port ?? DEFAULT_PORT) !== before.port ||
    wanted.gbp !== before.gbp ||
    differ(wanted.local, before.local) ||
    differ(wanted.underlay, before.underlay)
  );
}

function differ(wanted: string | null, before: string | null): boolean {
  return wanted !== null && before !== null && wanted !== before;
}

function isLinkInOrder(wanted: LinkEntry, before: LinkEntry): boolean {
  return (
    wanted.mtuBytes === before.mtuBytes &&
    wanted.learning === before.learning &&
    wanted.isUp === before.isUp &&
    (wanted.mac === null || wanted.mac === before.mac)
  );
}

/** Addresses, neighbours and fdb entries: one object a key, which `replace` may take over because the device is ours. */
function planKept(wanted: readonly DesiredEntry[], actual: ActualOverlay): readonly Operation[] {
  const there = new Map<string, Entry>();
  for (const entry of [...actual.addresses, ...actual.neighbours, ...actual.fdb]) there.set(entryKey(entry), entry);
  return wanted.flatMap(({ entry, subject }) => {
    if (entry.kind === 'route' || entry.kind === 'link') return [];
    const before = there.get(entryKey(entry));
    if (before === undefined) return { verb: 'add', entry, subject };
    return isSame(entry, before) ? { verb: 'keep', entry, subject } : { verb: 'replace', entry, before, subject };
  });
}

function isSame(wanted: AddressEntry | NeighbourEntry | FdbEntry, before: Entry): boolean {
  switch (wanted.kind) {
    case 'address':
      return true;
    case 'neighbour':
      return before.kind === 'neighbour' && before.mac === wanted.mac && before.isPermanent;
    case 'fdb':
      return before.kind === 'fdb' && before.dst === wanted.dst && before.isPermanent;
  }
}

/** Everything on a device goes with it, so what is in order now is added again; the entry it had is told as `before`. */
function againOnNewLink(operation: Operation, remade: ReadonlySet<string | null>): Operation {
  const { verb, entry, subject } = operation;
  if (!remade.has(deviceOf(entry)) || verb === 'delete' || verb === 'foreign') return operation;
  const before = verb === 'keep' ? entry : operation.before;
  return { verb: 'add', entry, subject, ...(before !== undefined && { before }) };
}

/** Permanent entries on our devices that serve nobody. What the kernel made by itself (link-local, multicast, unresolved) is not ours. */
function planRemovals(desired: DesiredOverlay, actual: ActualOverlay): readonly Operation[] {
  const keys = new Set(desired.entries.map(({ entry }) => entryKey(entry)));
  const devices = new Set(desired.devices);
  const addressed = new Set(desired.entries.flatMap(({ entry }) => (entry.kind === 'address' ? entry.device : [])));
  const networks = desired.networks.map(parseCidr).filter((network) => network !== undefined);
  const isInside = (ip: string) => networks.some((network) => containsIp(network, ip));
  const extra: readonly (AddressEntry | NeighbourEntry | FdbEntry)[] = [
    ...actual.neighbours.filter(({ isPermanent }) => isPermanent),
    ...actual.fdb.filter(({ isPermanent, mac }) => isPermanent && canonicalMac(mac) === mac),
    ...actual.addresses.filter(({ device }) => addressed.has(device)),
  ];
  return extra
    .filter((entry) => devices.has(entry.device) && !keys.has(entryKey(entry)))
    .filter((entry) => entry.kind === 'fdb' || isInside(entry.kind === 'address' ? hostOf(entry.address) : entry.ip))
    .map((entry) => ({ verb: 'delete', entry, subject: 'node' }));
}

function hostOf(address: string): string {
  return address.slice(0, address.indexOf('/'));
}

function deviceOf(entry: Entry): string | null {
  return entry.device;
}
