import { bitsOf, canonicalIp, type Family, familyOf } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import { DEFAULT_METRIC, DEFAULT_PORT } from './device.ts';
import type { AddressEntry, Entry, FdbEntry, LinkEntry, NeighbourEntry, Operation, RouteEntry } from './entry.ts';

/** One line of a batch; `words` joined by blanks follow the tool's name on a command line. */
export interface Line {
  readonly tool: 'ip' | 'bridge';
  readonly words: readonly string[];
}

/** A name iproute2 and a batch file take as one word. The kernel allows more; flannel's own and those of real interfaces are in it. */
const DEVICE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,14}$/;

/** Everything of the line, ready to be pasted. */
export function lineText({ tool, words }: Line): string {
  return [tool, ...words].join(' ');
}

/**
 * The lines that carry out one operation, in order; none for `keep` and `foreign`.
 *
 * @throws {TypeError} for a value that is not what its kind must be: what was not validated is never written.
 */
export function linesOf(operation: Operation): readonly Line[] {
  const { verb, entry } = operation;
  switch (verb) {
    case 'keep':
    case 'foreign':
      return [];
    case 'delete':
      return [renderDelete(entry)];
    case 'add':
      return renderAdd(entry, 'add');
    case 'replace':
      return renderReplace(operation);
  }
}

/** The line that takes an entry away. @throws {TypeError} as {@link linesOf}. */
export function renderDelete(entry: Entry): Line {
  switch (entry.kind) {
    case 'link':
      return ip('link', 'del', 'dev', name(entry.device));
    case 'address':
      return ip('address', 'del', cidr(entry.address), 'dev', name(entry.device));
    case 'neighbour':
      return ip('neigh', 'del', address(entry.ip), 'dev', name(entry.device));
    case 'fdb':
      return bridge('fdb', 'del', mac(entry.mac), 'dev', name(entry.device), 'dst', address(entry.dst), 'self');
    case 'route':
      return ip('route', 'del', ...routeWords(entry));
  }
}

/** The lines that make an entry. @throws {TypeError} as {@link linesOf}. */
export function renderAdd(entry: Entry, routeVerb: 'add' | 'replace'): readonly Line[] {
  switch (entry.kind) {
    case 'link':
      return [linkAdd(entry), ...(entry.isUp ? [linkSet(entry, 'up')] : [])];
    case 'address':
      return [addressAdd(entry)];
    case 'neighbour':
      return [neighbourReplace(entry)];
    case 'fdb':
      return [fdbReplace(entry)];
    case 'route':
      return [ip('route', routeVerb, ...routeWords(entry))];
  }
}

function renderReplace({ entry, before, recreate }: Operation): readonly Line[] {
  if (entry.kind !== 'link') return renderAdd(entry, 'replace');
  if (recreate === true) return [renderDelete(entry), ...renderAdd(entry, 'add')];
  return before?.kind === 'link' ? linkChanges(entry, before) : renderAdd(entry, 'add');
}

/** MAC first: setting it on a device that is up flushes the neighbours, which come later. */
function linkChanges(wanted: LinkEntry, before: LinkEntry): readonly Line[] {
  const lines: Line[] = [];
  if (wanted.mac !== null && wanted.mac !== before.mac) lines.push(linkSet(wanted, 'address', mac(wanted.mac)));
  if (wanted.mtuBytes !== before.mtuBytes) lines.push(linkSet(wanted, 'mtu', number(wanted.mtuBytes)));
  if (wanted.learning !== before.learning) lines.push(linkSet(wanted, 'type', 'vxlan', learning(wanted)));
  if (wanted.isUp !== before.isUp) lines.push(linkSet(wanted, wanted.isUp ? 'up' : 'down'));
  return lines;
}

/** The attributes flannel sends (pkg/backend/vxlan/device.go); the port is always named, as iproute2's own default is another. */
function linkAdd(link: LinkEntry): Line {
  return ip(
    ...['link', 'add', 'dev', name(link.device)],
    ...(link.mac === null ? [] : ['address', mac(link.mac)]),
    ...['mtu', number(link.mtuBytes), 'txqueuelen', '0', 'type', 'vxlan', 'id', number(link.vni)],
    ...(link.underlay === null ? [] : ['dev', name(link.underlay)]),
    ...(link.local === null ? [] : ['local', address(link.local)]),
    ...['dstport', number(link.port ?? DEFAULT_PORT), learning(link)],
    ...(link.gbp ? ['gbp'] : []),
  );
}

function linkSet(link: LinkEntry, ...words: readonly string[]): Line {
  return ip('link', 'set', 'dev', name(link.device), ...words);
}

function learning(link: LinkEntry): string {
  return link.learning ? 'learning' : 'nolearning';
}

/** Without `nodad` an IPv6 address is of no use for a second, and nobody on a vxlan device answers the question. */
function addressAdd(entry: AddressEntry): Line {
  const nodad = familyIn(entry.address) === 6 ? ['nodad'] : [];
  return ip('address', 'add', cidr(entry.address), 'dev', name(entry.device), ...nodad);
}

/** Never `add`: an error of the kernel on a neighbour line ends the whole batch, and `replace` has few (iproute2 6.1). */
function neighbourReplace({ ip: dst, mac: lladdr, device }: NeighbourEntry): Line {
  return ip('neigh', 'replace', address(dst), 'lladdr', mac(lladdr ?? ''), 'nud', 'permanent', 'dev', name(device));
}

function fdbReplace(entry: FdbEntry): Line {
  const words = [mac(entry.mac), 'dev', name(entry.device), 'dst', address(entry.dst), 'self', 'permanent'];
  return bridge('fdb', 'replace', ...words);
}

function routeWords({ type, dst, via, device, isOnlink, metric }: RouteEntry): readonly string[] {
  return [
    ...(type === 'blackhole' ? [type] : []),
    cidr(dst),
    ...(via === null ? [] : ['via', address(via)]),
    ...(device === null ? [] : ['dev', name(device)]),
    ...(isOnlink ? ['onlink'] : []),
    // Without it Linux (6.18) deletes the first IPv6 route to the destination, whatever its type.
    ...(metric === DEFAULT_METRIC[familyIn(dst)] && type === undefined ? [] : ['metric', number(metric)]),
  ];
}

function ip(...words: readonly string[]): Line {
  return { tool: 'ip', words };
}

function bridge(...words: readonly string[]): Line {
  return { tool: 'bridge', words };
}

function name(device: string): string {
  return DEVICE_NAME.test(device) ? device : refuse('interface name', device);
}

/** IPv4 has one way to be written that passes at all; the slow comparison is for IPv6. */
function address(text: string): string {
  return familyOf(text) === 4 || canonicalIp(text) === text ? text : refuse('address', text);
}

function cidr(text: string): string {
  const [, ip = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const family = familyOf(ip);
  if (family === undefined || Number(length) > bitsOf(family)) return refuse('network', text);
  return `${address(ip)}/${length}`;
}

function familyIn(cidrText: string): Family {
  return cidrText.includes(':') ? 6 : 4;
}

function mac(text: string): string {
  return canonicalMac(text) === text ? text : refuse('MAC', text);
}

function number(value: number): string {
  return Number.isSafeInteger(value) && value >= 0 ? String(value) : refuse('number', String(value));
}

function refuse(what: string, text: string): never {
  throw new TypeError(`not a valid ${what}: ${JSON.stringify(text.slice(0, 100))}`);
}
