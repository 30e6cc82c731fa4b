import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { defineFact } from './fact.ts';
import { type InterfaceInfo, interfacesFact } from './interfaces.ts';
import { readFileIfThere } from './read-if-there.ts';

/**
 * Kernel settings by sysctl name, `net.ipv4.ip_forward` → `1`; a name the kernel does not have is left out. The name of a device
 * stands as it is, dots and all: `net.ipv4.conf.flannel.1.rp_filter`. {@link sysctlArgument} is what sysctl(8) takes.
 */
export type Sysctls = Readonly<Record<string, string>>;

/** ip_forward, conf.{all,default,DEVICE}.forwarding and rp_filter, bridge-nf-call-*, the neighbour table's size, the IPv6 likes. */
export const sysctlsFact = defineFact<Sysctls>({
  name: 'sysctls',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 3000,
  collect: async (context) => {
    const devices = (await context.get(interfacesFact)).filter(mayForward).map(({ name }) => name);
    return readSysctls(context.host, [...GLOBAL, ...['all', 'default', ...devices].flatMap(settingsOf)]);
  },
});

/** As sysctl(8) wants it, where a dot separates unless it is written as a slash: `net.ipv4.conf.flannel/1.rp_filter`. */
export function sysctlArgument(name: string): string {
  const [, head, device, tail] = PER_DEVICE.exec(name) ?? [];
  return device === undefined ? name : [head, device.replaceAll('.', '/'), tail].join('.');
}

const PER_DEVICE = /^(net\.ipv[46]\.(?:conf|neigh))\.(.+)\.([^.]+)$/;

const GLOBAL: readonly Setting[] = [
  ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
  ['net.bridge.bridge-nf-call-iptables', '/proc/sys/net/bridge/bridge-nf-call-iptables'],
  ['net.bridge.bridge-nf-call-ip6tables', '/proc/sys/net/bridge/bridge-nf-call-ip6tables'],
  ...[4, 6].flatMap((family) =>
    [1, 2, 3].map(
      (level): Setting => [
        `net.ipv${family}.neigh.default.gc_thresh${level}`,
        `/proc/sys/net/ipv${family}/neigh/default/gc_thresh${level}`,
      ],
    ),
  ),
];

type Setting = readonly [name: string, path: string];

/** A node has hundreds of pods: the ends of their veths are ports of a bridge and have no address of their own. */
function mayForward({ kind, addresses, master }: InterfaceInfo): boolean {
  return kind !== 'veth' || (master === null && addresses.some(({ scope }) => scope !== 'link'));
}

function settingsOf(device: string): readonly Setting[] {
  const names = [
    'ipv4/conf/*/forwarding',
    'ipv4/conf/*/rp_filter',
    'ipv6/conf/*/forwarding',
    'ipv6/conf/*/disable_ipv6',
  ];
  return names.map((name) => {
    const [family, table, , setting] = name.split('/');
    return [`net.${family}.${table}.${device}.${setting}`, `/proc/sys/net/${family}/${table}/${device}/${setting}`];
  });
}

async function readSysctls(host: Host, settings: readonly Setting[]): Promise<Sysctls> {
  const values = await Promise.all(
    settings.map(async ([name, path]) => [name, (await readFileIfThere(host, path))?.trim()] as const),
  );
  const there = values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  if (there.length === 0) throw new UnavailableError('unsupported', '/proc/sys/net shows no settings');
  return Object.fromEntries(there);
}
