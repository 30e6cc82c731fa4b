import { canonicalNetwork } from '../net/cidr.ts';
import { type GoMembers, parseJson, readGoObject } from '../store/go-json.ts';
import { escapeText } from '../store/untrusted-text.ts';

/** Members that flannel's Config has (pkg/subnet/config.go); all others it ignores without a word. */
const KNOWN = [
  ...['EnableIPv4', 'EnableIPv6', 'EnableNFTables', 'Network', 'IPv6Network', 'SubnetMin', 'SubnetMax', 'SubnetLen'],
  ...['IPv6SubnetMin', 'IPv6SubnetMax', 'IPv6SubnetLen', 'Backend'],
] as const;
/** Of Backend with type vxlan (pkg/backend/vxlan); MacPrefix and Name are for Windows. */
const KNOWN_OF_VXLAN = ['Type', 'VNI', 'Port', 'MTU', 'GBP', 'Learning', 'DirectRouting', 'MacPrefix', 'Name'] as const;
/** What the Kubernetes subnet manager never looks at. */
const ETCD_ONLY = ['SubnetMin', 'SubnetMax', 'SubnetLen', 'IPv6SubnetMin', 'IPv6SubnetMax', 'IPv6SubnetLen'] as const;

/**
 * Where flannel takes the document without a word and does something else than it seems to say, besides what parseNetworkConfig warns of.
 * One line each. Only for a document that flannel takes.
 */
export function configWarnings(text: string, kind: 'etcd' | 'kube' | 'file'): readonly string[] {
  const members = membersOf(text);
  const backend = membersOf(members.get('backend') ?? '{}');
  const isVxlan = /^"vxlan"$/i.test(backend.get('type') ?? '');
  return [
    ...unknownIn(members, KNOWN, ''),
    ...(isVxlan ? unknownIn(backend, KNOWN_OF_VXLAN, 'Backend.') : []),
    ...['Network', 'IPv6Network'].flatMap((name) => maskedIn(members, name)),
    ...(kind === 'kube' ? ignoredByKubernetes(members) : []),
  ];
}

function membersOf(text: string): GoMembers {
  const object = readGoObject(text);
  return 'members' in object ? object.members : new Map();
}

function unknownIn(members: GoMembers, known: readonly string[], prefix: string): readonly string[] {
  const names = new Set(known.map((name) => name.toLowerCase()));
  return [...members.keys()]
    .filter((name) => !names.has(name))
    .map((name) => `flannel does not know ${prefix}${escapeText(name, 40)} and ignores it`);
}

function maskedIn(members: GoMembers, name: string): readonly string[] {
  const parsed = parseJson(members.get(name.toLowerCase()) ?? 'null');
  const written = 'value' in parsed && typeof parsed.value === 'string' ? parsed.value : undefined;
  const network = written === undefined ? undefined : canonicalNetwork(written);
  if (written === undefined || network === undefined || !isMasked(written, network)) return [];
  return [`${name} is written as ${escapeText(written, 60)}; flannel takes ${network}`];
}

/** IPv6 has many spellings of one network: only a host part makes a difference. */
function isMasked(written: string, network: string): boolean {
  const [address = '', length = ''] = written.split('/');
  return (
    canonicalNetwork(`${address}/${address.includes(':') ? 128 : 32}`)?.split('/')[0] !== network.split('/')[0] &&
    length !== ''
  );
}

function ignoredByKubernetes(members: GoMembers): readonly string[] {
  return ETCD_ONLY.filter((name) => members.has(name.toLowerCase())).map(
    (name) => `${name} counts with etcd only; with Kubernetes the podCIDR of each Node does`,
  );
}
