import * as v from 'valibot';
import { LINKS_COMMAND } from '../dataplane/observe.ts';
import { UnavailableError } from '../errors.ts';
import { canonicalIp, familyOf } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import { escapeText } from '../store/untrusted-text.ts';
import { defineFact } from './fact.ts';
import { linkListingFact } from './kernel-listings.ts';

/** A network interface of this host (`ip -j -d -s addr`). */
export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  /** linkinfo.info_kind: `vxlan`, `bridge`, `veth`; `''`: a plain device. */
  readonly kind: string;
  readonly mtuBytes: number;
  /** `''`: the device has none. */
  readonly mac: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** Name of the bridge it is a port of; `null`: none. */
  readonly master: string | null;
  readonly addresses: readonly InterfaceAddress[];
  readonly vxlan: VxlanInfo | null;
  readonly counters: {
    readonly rxPackets: number;
    readonly txPackets: number;
    readonly rxDropped: number;
    readonly txDropped: number;
    readonly txErrors: number;
  } | null;
}

export interface InterfaceAddress {
  readonly family: 4 | 6;
  readonly ip: string;
  readonly prefixLength: number;
  readonly scope: string;
  readonly isDynamic: boolean;
  readonly isTemporary: boolean;
  readonly isDeprecated: boolean;
}

export interface VxlanInfo {
  readonly vni: number;
  readonly port: number;
  readonly local: string | null;
  readonly underlay: string | null;
  readonly learning: boolean;
  readonly gbp: boolean;
}

/** The command whose output this fact is, for evidence. */
export const INTERFACES_COMMAND = LINKS_COMMAND;

export const interfacesFact = defineFact<readonly InterfaceInfo[]>({
  name: 'interfaces',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 5000,
  collect: async (context) => parseInterfaces(await context.get(linkListingFact)),
});

function parseInterfaces(stdout: string): readonly InterfaceInfo[] {
  const command = INTERFACES_COMMAND.join(' ');
  const parsed = v.safeParse(linksSchema, parseJson(stdout, command));
  if (parsed.success) return parsed.output.map(interfaceOf);
  const issue = parsed.issues[0];
  throw new UnavailableError(
    'malformed',
    `${command}: ${v.getDotPath(issue) ?? 'output'}: ${escapeText(issue.message)}`,
  );
}

const name = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.transform((text) => escapeText(text)),
);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ip = v.pipe(
  v.string(),
  v.check((text) => familyOf(text) !== undefined, 'no address'),
  v.transform((text) => canonicalIp(text) ?? text),
);
const flag = v.optional(v.boolean(), false);

const addressSchema = v.object({
  family: v.picklist(['inet', 'inet6']),
  local: ip,
  prefixlen: v.pipe(count, v.maxValue(128)),
  scope: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => escapeText(text)),
    ),
    '',
  ),
  dynamic: flag,
  temporary: flag,
  deprecated: flag,
});

/** iproute2 names the local address of a tunnel by its family. */
const vxlanSchema = v.object({
  id: count,
  port: v.pipe(count, v.maxValue(65535)),
  local: v.optional(ip),
  local6: v.optional(ip),
  link: v.optional(name),
  learning: flag,
  gbp: flag,
});

const linksSchema = v.array(
  v.object({
    ifindex: count,
    ifname: name,
    flags: v.array(v.string()),
    mtu: count,
    address: v.optional(v.string(), ''),
    master: v.optional(name),
    linkinfo: v.optional(v.object({ info_kind: v.optional(name), info_data: v.optional(v.unknown()) })),
    // Other families (mctp) are not ours; what is none of the shapes we know is malformed only where it claims to be one.
    addr_info: v.optional(v.array(v.looseObject({ family: v.string() })), []),
    stats64: v.optional(
      v.object({
        rx: v.object({ packets: count, dropped: count }),
        tx: v.object({ packets: count, dropped: count, errors: count }),
      }),
    ),
  }),
);
type Link = v.InferOutput<typeof linksSchema>[number];

function interfaceOf(link: Link): InterfaceInfo {
  const kind = link.linkinfo?.info_kind ?? '';
  return {
    index: link.ifindex,
    name: link.ifname,
    kind,
    mtuBytes: link.mtu,
    mac: canonicalMac(link.address) ?? '',
    isUp: link.flags.includes('UP'),
    hasCarrier: link.flags.includes('LOWER_UP'),
    master: link.master ?? null,
    addresses: link.addr_info.filter(({ family }) => family.startsWith('inet')).map((entry) => addressOf(link, entry)),
    vxlan: kind === 'vxlan' ? vxlanOf(link) : null,
    counters: countersOf(link.stats64),
  };
}

function addressOf(link: Link, entry: unknown): InterfaceAddress {
  const address = must(addressSchema, entry, `an address of ${link.ifname}`);
  return {
    family: address.family === 'inet' ? 4 : 6,
    ip: address.local,
    prefixLength: address.prefixlen,
    scope: address.scope,
    isDynamic: address.dynamic,
    isTemporary: address.temporary,
    isDeprecated: address.deprecated,
  };
}

function vxlanOf(link: Link): VxlanInfo {
  const data = must(vxlanSchema, link.linkinfo?.info_data, `vxlan data of ${link.ifname}`);
  return {
    vni: data.id,
    port: data.port,
    local: data.local ?? data.local6 ?? null,
    underlay: data.link ?? null,
    learning: data.learning,
    gbp: data.gbp,
  };
}

function countersOf(stats: Link['stats64']): InterfaceInfo['counters'] {
  if (stats === undefined) return null;
  const { rx, tx } = stats;
  return {
    rxPackets: rx.packets,
    txPackets: tx.packets,
    rxDropped: rx.dropped,
    txDropped: tx.dropped,
    txErrors: tx.errors,
  };
}

function must<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new UnavailableError('malformed', `ip addr: ${what}: ${escapeText(parsed.issues[0].message)}`);
}

function parseJson(text: string, command: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnavailableError('malformed', `${command} did not print JSON: ${escapeText(text, 60)}`, { cause: error });
  }
}
