import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import { familyOf } from '../net/cidr.ts';
import { DEFAULT_METRIC, isFlannelDevice } from './device.ts';
import type { ActualOverlay, AddressEntry, FdbEntry, LinkEntry, NeighbourEntry, RouteEntry } from './entry.ts';
import type { UnderlayInterface } from './underlay-address.ts';

/** What iproute2 6.x prints with `-j -d`; keys that are not read are left out. */
const linkSchema = v.object({
  ifname: v.string(),
  flags: v.array(v.string()),
  mtu: v.number(),
  address: v.optional(v.string()),
  linkinfo: v.optional(
    v.object({
      info_kind: v.optional(v.string()),
      info_data: v.optional(v.record(v.string(), v.unknown())),
    }),
  ),
  addr_info: v.optional(
    v.array(
      v.object({
        family: v.optional(v.string()),
        local: v.optional(v.string()),
        prefixlen: v.optional(v.number()),
        scope: v.optional(v.string()),
        dynamic: v.optional(v.boolean()),
        temporary: v.optional(v.boolean()),
        deprecated: v.optional(v.boolean()),
      }),
    ),
    [],
  ),
});
type LinkJson = v.InferOutput<typeof linkSchema>;

const vxlanSchema = v.object({
  id: v.number(),
  port: v.number(),
  local: v.optional(v.string()),
  local6: v.optional(v.string()),
  link: v.optional(v.string()),
  learning: v.optional(v.boolean(), false),
  // `true` since iproute2 6.1, `null` before; a device without it does not print the key.
  gbp: v.optional(v.nullable(v.boolean()), false),
});

const neighbourSchema = v.object({
  dst: v.string(),
  dev: v.string(),
  lladdr: v.optional(v.string()),
  state: v.optional(v.array(v.string()), []),
});

const fdbSchema = v.object({
  mac: v.string(),
  ifname: v.string(),
  dst: v.optional(v.string()),
  state: v.optional(v.string(), ''),
});

const routeSchema = v.object({
  dst: v.string(),
  gateway: v.optional(v.string()),
  dev: v.optional(v.string()),
  metric: v.optional(v.number()),
  flags: v.optional(v.array(v.string()), []),
  type: v.optional(v.string(), 'unicast'),
  protocol: v.optional(v.string()),
  prefsrc: v.optional(v.string()),
});

/** `ip -j -d addr show`: links, strangers and addresses of flannel's devices. @throws {UnavailableError} `malformed` */
export function parseLinks(json: string): Pick<ActualOverlay, 'links' | 'strangers' | 'addresses'> {
  const all = parseList(json, linkSchema, 'ip -j -d addr show').filter(({ ifname }) => isFlannelDevice(ifname));
  const isVxlan = ({ linkinfo }: LinkJson) => linkinfo?.info_kind === 'vxlan';
  return {
    links: all.filter(isVxlan).map(linkEntry),
    strangers: Object.fromEntries(
      all.filter((link) => !isVxlan(link)).map(({ ifname, linkinfo }) => [ifname, linkinfo?.info_kind ?? '']),
    ),
    addresses: all.flatMap(addressEntries),
  };
}

/** `ip -j -d addr show`: what the choice of the underlay looks at. @throws {UnavailableError} `malformed` */
export function parseUnderlayInterfaces(json: string): readonly UnderlayInterface[] {
  return parseList(json, linkSchema, 'ip -j -d addr show').map(({ ifname, mtu, addr_info }) => ({
    name: ifname,
    mtuBytes: mtu,
    addresses: addr_info.flatMap((address) => {
      const family = familyOf(address.local ?? '');
      if (family === undefined || address.local === undefined) return [];
      return {
        family,
        ip: address.local,
        scope: address.scope ?? 'global',
        isDynamic: address.dynamic ?? false,
        isTemporary: address.temporary ?? false,
        isDeprecated: address.deprecated ?? false,
      };
    }),
  }));
}

/** `ip -j neigh show`: entries of flannel's devices. @throws {UnavailableError} `malformed` */
export function parseNeighbours(json: string): readonly NeighbourEntry[] {
  return parseList(json, neighbourSchema, 'ip -j neigh show')
    .filter(({ dev }) => isFlannelDevice(dev))
    .map(({ dst, dev, lladdr, state }) => ({
      kind: 'neighbour',
      device: dev,
      ip: dst,
      mac: lladdr ?? null,
      isPermanent: state.includes('PERMANENT'),
    }));
}

/** `bridge -j fdb show`: entries of flannel's devices that lead to a VTEP. @throws {UnavailableError} `malformed` */
export function parseFdb(json: string): readonly FdbEntry[] {
  return parseList(json, fdbSchema, 'bridge -j fdb show').flatMap(({ mac, ifname, dst, state }) => {
    if (dst === undefined || !isFlannelDevice(ifname)) return [];
    return { kind: 'fdb', device: ifname, mac, dst, isPermanent: state === 'permanent' };
  });
}

/** `ip -j -d [-6] route show table main`, all of it. @throws {UnavailableError} `malformed` */
export function parseRoutes(json: string, family: 4 | 6): readonly RouteEntry[] {
  return parseList(json, routeSchema, 'ip -j -d route show table main').map((route) => ({
    kind: 'route',
    dst: networkOf(route.dst, family),
    via: route.gateway ?? null,
    device: route.dev ?? null,
    isOnlink: route.flags.includes('onlink'),
    metric: route.metric ?? (family === 4 ? DEFAULT_METRIC[4] : 0),
    ...(route.type !== 'unicast' && { type: route.type }),
    ...(route.protocol !== undefined && { protocol: route.protocol }),
    ...(route.prefsrc !== undefined && { src: route.prefsrc }),
  }));
}

function linkEntry({ ifname, flags, mtu, address, linkinfo }: LinkJson): LinkEntry {
  const parsed = v.safeParse(vxlanSchema, linkinfo?.info_data);
  if (!parsed.success)
    throw malformed('ip -j -d addr show', `vxlan device ${JSON.stringify(ifname)} without its settings`);
  const { id, port, local, local6, link, learning, gbp } = parsed.output;
  return {
    kind: 'link',
    device: ifname,
    vni: id,
    port,
    local: local ?? local6 ?? null,
    underlay: link ?? null,
    mtuBytes: mtu,
    mac: address ?? null,
    learning,
    gbp: gbp !== false,
    isUp: flags.includes('UP'),
  };
}

function addressEntries({ ifname, addr_info }: LinkJson): readonly AddressEntry[] {
  return addr_info.flatMap(({ local, prefixlen }) =>
    local === undefined || prefixlen === undefined
      ? []
      : { kind: 'address', device: ifname, address: `${local}/${prefixlen}` },
  );
}

/** iproute2 leaves out the length of a host route and writes `default`. */
function networkOf(dst: string, family: 4 | 6): string {
  if (dst === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  if (dst.includes('/')) return dst;
  return `${dst}/${family === 4 ? 32 : 128}`;
}

/** Empty output is an empty list: some versions print nothing where there is nothing. */
function parseList<T extends v.GenericSchema>(json: string, item: T, source: string): readonly v.InferOutput<T>[] {
  if (json.trim() === '') return [];
  const parsed = v.safeParse(v.array(item), parseJson(json, source));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw malformed(source, `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
}

function parseJson(json: string, source: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed(source, 'no JSON');
    throw error;
  }
}

function malformed(source: string, detail: string): UnavailableError {
  return new UnavailableError('malformed', `output of "${source}" is not as expected: ${detail}`);
}
