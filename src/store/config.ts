import { InputError } from '../errors.ts';
import { canonicalIp, familyOf, formatNetwork, parseCidr } from '../net/cidr.ts';
import { type GoMembers, kindOf, parseJson, readGoObject } from './go-json.ts';
import { escapeText } from './untrusted-text.ts';

/** flannel's network configuration with its defaults filled in (flannel pkg/subnet/config.go). */
export interface NetworkConfig {
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly enableNFTables: boolean;
  /** CIDR notation, masked; `null`: not given. */
  readonly network: string | null;
  readonly ipv6Network: string | null;
  /** Etcd mode only. */
  readonly subnetLen: number | null;
  readonly subnetMin: string | null;
  readonly subnetMax: string | null;
  readonly ipv6SubnetLen: number | null;
  readonly ipv6SubnetMin: string | null;
  readonly ipv6SubnetMax: string | null;
  readonly backend: BackendConfig;
}

export type BackendConfig = VxlanConfig | { readonly type: 'other'; readonly name: string };

export interface VxlanConfig {
  readonly type: 'vxlan';
  /** Default 1. */
  readonly vni: number;
  /** `null`: the kernel's default, 8472. */
  readonly port: number | null;
  /** MTU of the outer device; `null`: that of the external interface. */
  readonly outerMtuBytes: number | null;
  readonly gbp: boolean;
  readonly learning: boolean;
  readonly directRouting: boolean;
}

export { type CheckedNetworkConfig, checkNetworkConfig } from './config-ranges.ts';

export interface ParsedNetworkConfig {
  readonly config: NetworkConfig;
  /** Where flannel silently does something else than the document or its manual says; one line each. */
  readonly warnings: readonly string[];
  /** Why flannel ends at its start although it parses the document; one line each. */
  readonly obstacles: readonly string[];
}

/**
 * Parses net-conf as flannel does: names without case, unknown ones ignored, the last duplicate wins, CIDRs masked.
 * @throws {InputError} when flannel itself would refuse the document, naming the member and what it should be.
 */
export function parseNetworkConfig(text: string): ParsedNetworkConfig {
  const members = membersOf(text, 'the network configuration');
  const backend = readBackend(members.get('backend'));
  const config: NetworkConfig = {
    enableIPv4: readBoolean(members, 'EnableIPv4', true),
    enableIPv6: readBoolean(members, 'EnableIPv6', false),
    enableNFTables: readBoolean(members, 'EnableNFTables', false),
    network: readNetwork(members, 'Network', 4),
    ipv6Network: readNetwork(members, 'IPv6Network', 6),
    subnetLen: readUnsigned(members, 'SubnetLen'),
    subnetMin: readAddress(members, 'SubnetMin', 4),
    subnetMax: readAddress(members, 'SubnetMax', 4),
    ipv6SubnetLen: readUnsigned(members, 'IPv6SubnetLen'),
    ipv6SubnetMin: readAddress(members, 'IPv6SubnetMin', 6),
    ipv6SubnetMax: readAddress(members, 'IPv6SubnetMax', 6),
    backend,
  };
  return { config, warnings: warningsAbout(members, config), obstacles: obstaclesIn(config) };
}

function membersOf(text: string, what: string): GoMembers {
  const object = readGoObject(text);
  if ('problem' in object) throw new InputError(`${what} does not parse: ${object.problem}`);
  return object.members;
}

function warningsAbout(members: GoMembers, { enableIPv4, enableIPv6 }: NetworkConfig): readonly string[] {
  const warnings: string[] = [];
  if (!members.has('backend')) warnings.push('there is no Backend: flannel takes udp, not vxlan');
  if (!enableIPv4 && !enableIPv6) warnings.push('EnableIPv4 and EnableIPv6 are both off: flannel does not start');
  return warnings;
}

function obstaclesIn({ backend }: NetworkConfig): readonly string[] {
  if (backend.type === 'vxlan' || OTHER_BACKENDS.has(backend.name)) return [];
  if (backend.name === '') return ['Backend has no Type: flannel does not start'];
  const known = ['vxlan', ...OTHER_BACKENDS].join(', ');
  return [`flannel has no backend "${backend.name}" and does not start; it has ${known}`];
}

/** Those that main.go imports, and for clouds those of older versions. */
const OTHER_BACKENDS: ReadonlySet<string> = new Set([
  ...['host-gw', 'udp', 'wireguard', 'ipip', 'ipsec', 'extension', 'alloc', 'tencent-vpc'],
  ...['ali-vpc', 'aws-vpc', 'gce'],
]);

/** flannel pkg/backend: the type without case; pkg/backend/vxlan: what it decodes into. */
function readBackend(raw: string | undefined): BackendConfig {
  if (raw === undefined) return { type: 'other', name: 'udp' };
  const members = membersOf(raw, 'Backend');
  const name = readText(members, 'Type').toLowerCase();
  if (name !== 'vxlan') return { type: 'other', name: escapeText(name, 60) };
  const port = readInteger(members, 'Port', 65_535);
  return {
    type: 'vxlan',
    vni: readInteger(members, 'VNI', 0xffffff) ?? 1,
    port: port === 0 ? null : port,
    outerMtuBytes: readInteger(members, 'MTU', 65_535),
    gbp: readBoolean(members, 'GBP', false),
    learning: readBoolean(members, 'Learning', false),
    directRouting: readBoolean(members, 'DirectRouting', false),
  };
}

/** Go leaves a member that is null as it was, except where the type decodes itself (networks and IPv4 addresses). */
function rawOf(members: GoMembers, name: string): string | undefined {
  const raw = members.get(name.toLowerCase());
  return raw === 'null' ? undefined : raw;
}

function readBoolean(members: GoMembers, name: string, fallback: boolean): boolean {
  const raw = rawOf(members, name);
  if (raw === undefined) return fallback;
  if (raw !== 'true' && raw !== 'false') throw refused(name, raw, 'true or false');
  return raw === 'true';
}

function readUnsigned(members: GoMembers, name: string): number | null {
  const length = readInteger(members, name, Number.MAX_SAFE_INTEGER);
  return length === 0 ? null : length;
}

/** Go takes no `24.0` and no `2e1` for an integer. */
function readInteger(members: GoMembers, name: string, most: number): number | null {
  const raw = rawOf(members, name);
  if (raw === undefined) return null;
  const value = /^-?\d+$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(value >= 0 && value <= most)) throw refused(name, raw, `an integer from 0 to ${most}`);
  return value;
}

function readText(members: GoMembers, name: string): string {
  const raw = rawOf(members, name);
  if (raw === undefined) return '';
  const value = jsonValue(raw);
  if (typeof value !== 'string') throw refused(name, raw, `a string, not ${kindOf(value)}`);
  return value;
}

function readNetwork(members: GoMembers, name: string, family: 4 | 6): string | null {
  const raw = members.get(name.toLowerCase());
  if (raw === undefined) return null;
  const value = jsonValue(raw);
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined;
  if (cidr?.family !== family) throw refused(name, raw, `an IPv${family} network, as ${EXAMPLES[family]}`);
  return formatNetwork(cidr);
}

const EXAMPLES = { 4: '10.244.0.0/16', 6: 'fd00:10::/56' } as const;

/** The zero address means "not given" (flannel CheckNetworkConfig). */
function readAddress(members: GoMembers, name: string, family: 4 | 6): string | null {
  const raw = members.get(name.toLowerCase());
  if (raw === undefined || (raw === 'null' && family === 6)) return null;
  const value = jsonValue(raw);
  const ip = typeof value === 'string' && familyOf(value) === family ? canonicalIp(value) : undefined;
  if (ip === undefined) throw refused(name, raw, `an IPv${family} address`);
  return ip === '0.0.0.0' || ip === '::' ? null : ip;
}

function jsonValue(raw: string): unknown {
  const parsed = parseJson(raw);
  return 'value' in parsed ? parsed.value : undefined;
}

function refused(name: string, raw: string, wanted: string): InputError {
  return new InputError(`${name} of the network configuration is ${escapeText(raw, 60)}, not ${wanted}`);
}
