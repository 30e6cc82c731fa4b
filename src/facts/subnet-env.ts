import { type Cidr, formatNetwork, parseCidr } from '../net/cidr.ts';
import { escapeText } from '../store/untrusted-text.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { flannelStartFact } from './flannel.ts';
import { parseGoBoolean } from './flanneld-flags.ts';

/** The subnet file as it stands. */
export interface SubnetEnv {
  readonly path: string;
  /** Epoch ms. */
  readonly modifiedAt: number;
  /** Canonical networks; `null`: the key is missing or its value is in `problems`. */
  readonly networks: readonly string[] | null;
  /** `10.244.1.0/24`, of FLANNEL_SUBNET=10.244.1.1/24. */
  readonly subnet: string | null;
  readonly ipv6Networks: readonly string[] | null;
  readonly ipv6Subnet: string | null;
  readonly mtuBytes: number | null;
  readonly ipMasq: boolean | null;
  /** What the CNI plugin would refuse, one line each: `FLANNEL_MTU is missing`, `line 2 has no "="`. Hostile text escaped. */
  readonly problems: readonly string[];
}

/** Absent when there is no such file. Its place is that of `--subnet-file`, given or discovered. */
export const subnetEnvFact = defineFact<SubnetEnv>({
  name: 'subnet-env',
  cost: 'passive',
  timeoutMs: 2000,
  collect: async (context) => {
    const path = await subnetFilePath(context);
    const [text, { modifiedAt }] = await Promise.all([context.host.readFile(path), context.host.stat(path)]);
    return { path, modifiedAt, ...parseSubnetEnv(text) };
  },
});

/** A path that the user gave needs no discovery. */
async function subnetFilePath({ given, get }: CollectContext): Promise<string> {
  return given.flannel.subnetFile ?? (await get(flannelStartFact)).options.subnetFile;
}

/** As the CNI plugin reads it (flannel-io/cni-plugin, loadFlannelSubnetEnv): cut at the first `=`, nothing trimmed. */
export function parseSubnetEnv(text: string): Omit<SubnetEnv, 'path' | 'modifiedAt'> {
  const { values, problems } = readLines(text);
  const read = <T>(key: Key, parse: (value: string) => T | undefined, wanted: string): T | null => {
    const value = values.get(key);
    if (value === undefined) return null;
    const parsed = parse(value);
    if (parsed === undefined) problems.push(`${key}=${escapeText(value, MAX_SHOWN)} is not ${wanted}`);
    return parsed ?? null;
  };
  const subnets = {
    networks: read('FLANNEL_NETWORK', parseNetworks, 'a list of networks'),
    subnet: read('FLANNEL_SUBNET', parseSubnet, 'an address with prefix length'),
    ipv6Networks: read('FLANNEL_IPV6_NETWORK', parseNetworks, 'a list of networks'),
    ipv6Subnet: read('FLANNEL_IPV6_SUBNET', parseSubnet, 'an address with prefix length'),
    mtuBytes: read('FLANNEL_MTU', parseMtu, 'a number of bytes'),
    ipMasq: read('FLANNEL_IPMASQ', parseGoBoolean, 'true or false'),
  };
  return { ...subnets, problems: [...problems, ...missingKeys(values)] };
}

const KEYS = [
  'FLANNEL_NETWORK',
  'FLANNEL_SUBNET',
  'FLANNEL_IPV6_NETWORK',
  'FLANNEL_IPV6_SUBNET',
  'FLANNEL_MTU',
  'FLANNEL_IPMASQ',
] as const;
type Key = (typeof KEYS)[number];

const MAX_SHOWN = 60;
/** More says nothing new. */
const MAX_PROBLEMS = 4;

function readLines(text: string): { readonly values: ReadonlyMap<Key, string>; readonly problems: string[] } {
  const values = new Map<Key, string>();
  const problems: string[] = [];
  text.split('\n').forEach((rawLine, index) => {
    const line = rawLine.replace(/\r$/, '');
    const cut = line.indexOf('=');
    const key = KEYS.find((name) => name === (cut < 0 ? line : line.slice(0, cut)));
    if (key !== undefined && cut >= 0) values.set(key, line.slice(cut + 1));
    const problem = problemOf(line, key);
    if (problem !== undefined && problems.length < MAX_PROBLEMS) problems.push(`line ${index + 1} ${problem}`);
  });
  return { values, problems };
}

function problemOf(line: string, key: Key | undefined): string | undefined {
  if (line.trim() === '' || line.startsWith('#')) return undefined;
  const [name = ''] = line.split('=', 1);
  if (name === line) return `has no "=": ${escapeText(line, MAX_SHOWN)}`;
  const isAlmostKey = KEYS.some((known) => name.replace(/^\s*(export\s+)?|["'\s]+$/g, '') === known);
  return key === undefined && isAlmostKey ? `is not read: "${escapeText(name, MAX_SHOWN)}" is no key` : undefined;
}

function missingKeys(values: ReadonlyMap<Key, string>): readonly string[] {
  const groups: readonly (readonly Key[])[] = [
    ['FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK'],
    ['FLANNEL_SUBNET', 'FLANNEL_IPV6_SUBNET'],
    ['FLANNEL_MTU'],
    ['FLANNEL_IPMASQ'],
  ];
  return groups.filter((keys) => !keys.some((key) => values.has(key))).map(([first]) => `${first} is missing`);
}

/** A comma list is what clusters with several pod networks had. */
function parseNetworks(value: string): readonly string[] | undefined {
  const networks = value.split(',').map(parseCidr);
  return networks.every(isCidr) ? networks.map(formatNetwork) : undefined;
}

function parseSubnet(value: string): string | undefined {
  const cidr = parseCidr(value);
  return cidr === undefined ? undefined : formatNetwork(cidr);
}

function parseMtu(value: string): number | undefined {
  const bytes = Number(value);
  return /^\d{1,10}$/.test(value) && bytes <= 0xffffffff ? bytes : undefined;
}

function isCidr(cidr: Cidr | undefined): cidr is Cidr {
  return cidr !== undefined;
}
