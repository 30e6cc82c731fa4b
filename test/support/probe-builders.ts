import type { ActualOverlay, DesiredOverlay, LinkEntry, OverlayPeer } from '../../src/dataplane/entry.ts';
import type { NetworkConfigFact } from '../../src/facts/datastore.ts';
import type { CollectContext, Fact, Observed } from '../../src/facts/fact.ts';
import type { FlannelInstall } from '../../src/facts/flannel.ts';
import type { InterfaceInfo } from '../../src/facts/interfaces.ts';
import type { Underlay } from '../../src/facts/overlay.ts';
import type { UnderlayAnswer } from '../../src/facts/probes.ts';
import type { SubnetEnv } from '../../src/facts/subnet-env.ts';
import type { Host } from '../../src/host/host.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import type { EchoOutcome } from '../../src/probe/echo.ts';
import type { Lease, LeaseListing, LeaseRecord } from '../../src/store/store.ts';

/** `10.244.N.0/24` at `192.168.77.N`. */
export function peerOf(number: number, more: Partial<OverlayPeer> = {}): OverlayPeer {
  return {
    subnet: `10.244.${number}.0/24`,
    ipv6Subnet: null,
    publicIp: `192.168.77.${number}`,
    vtepMac: '02:00:00:00:00:02',
    vni: 1,
    overlayIp: `10.244.${number}.0`,
    isDirect: false,
    ...more,
  };
}

export const ECHOED: EchoOutcome = { sent: 3, received: 3, rttMs: 0.1, localError: null };
export const SILENT: EchoOutcome = { sent: 3, received: 0, rttMs: null, localError: null };
export const ANSWERED: UnderlayAnswer = { echo: ECHOED, tcp: null, answered: true };
export const UNANSWERED: UnderlayAnswer = { echo: SILENT, tcp: 'silent', answered: false };

export function known<T>(value: T): { readonly status: 'known'; readonly value: T } {
  return { status: 'known', value };
}

export const ABSENT = { status: 'absent', detail: 'not there' } as const;
export const UNKNOWN = { status: 'unknown', reason: 'unreachable', detail: 'the datastore is not known' } as const;

export function flannelInstall(more: Partial<FlannelInstall> = {}): FlannelInstall {
  return {
    deployment: 'systemd',
    process: { pid: 812, name: 'flanneld', startedAt: 0, state: 'S' },
    version: null,
    subnetManager: 'etcd',
    datastore: { kind: 'file', path: '/var/lib/flannel/leases.json' },
    optionsSource: 'command line of flanneld (pid 812)',
    options: { ...FLANNEL_DEFAULTS, ipMasq: true },
    unit: 'flanneld.service',
    traces: ['flannel.1', '/run/flannel/subnet.env'],
    ...more,
  };
}

export function subnetEnv(more: Partial<SubnetEnv> = {}): SubnetEnv {
  return {
    path: '/run/flannel/subnet.env',
    modifiedAt: 0,
    networks: ['10.244.0.0/16'],
    subnet: '10.244.1.0/24',
    ipv6Networks: null,
    ipv6Subnet: null,
    mtuBytes: 1450,
    ipMasq: true,
    problems: [],
    ...more,
  };
}

interface LeaseParts {
  readonly subnet: string;
  readonly publicIp?: string;
  readonly mac?: string;
  readonly key?: string;
  readonly ipv6Subnet?: string;
}

export function leaseOf({ subnet, publicIp = '192.168.77.1', mac = '02:00:00:00:00:01', ...parts }: LeaseParts): Lease {
  return {
    kind: 'lease',
    key: parts.key ?? subnet.replace('/', '-'),
    subnet,
    ipv6Subnet: parts.ipv6Subnet ?? null,
    expiresAt: 86_400_000,
    etcdLease: '7b',
    modRevision: '5',
    node: null,
    attributes: {
      publicIp,
      publicIpv6: null,
      backendType: 'vxlan',
      vtep: { vni: 1, mac },
      vtepV6: null,
      backendData: { VNI: 1, VtepMAC: mac },
      backendV6Data: undefined,
    },
  };
}

export function listing(...records: readonly LeaseRecord[]): LeaseListing {
  return { records, revision: '9', clusterId: null, source: 'etcd http://192.168.77.9:2379 /coreos.com/network' };
}

/** A context in which some facts have the given values and all others are collected, each once. */
export function contextWith(
  host: Host,
  values: Readonly<Record<string, unknown>>,
  peerLimit: number | null = null,
): CollectContext {
  const collected = new Map<string, unknown>(Object.entries(values));
  const context: CollectContext = {
    host,
    clock: systemClock,
    startedAt: 0,
    signal: new AbortController().signal,
    given: { flannel: {}, namesDatastore: false, peerLimit, storeTimeoutMs: 1000 },
    secrets: { put: () => undefined, secrets: () => ({}) },
    get: async <T>(fact: Fact<T>) => {
      if (!collected.has(fact.name)) collected.set(fact.name, fact.collect(context));
      // A name stands for one token, so that what is kept under it has that token's type.
      return (await collected.get(fact.name)) as T;
    },
    observe: async <T>(fact: Fact<T>): Promise<Observed<T>> => ({ status: 'known', value: await context.get(fact) }),
    openStore: () => Promise.reject(new Error('no store here')),
    openKube: () => Promise.reject(new Error('no API here')),
    openEtcdHealth: () => Promise.reject(new Error('no etcd here')),
  };
  return context;
}

export const NETWORK_CONFIG: NetworkConfigFact = {
  config: {
    enableIPv4: true,
    enableIPv6: false,
    enableNFTables: false,
    network: '10.244.0.0/16',
    ipv6Network: null,
    subnetLen: 24,
    subnetMin: null,
    subnetMax: null,
    ipv6SubnetLen: null,
    ipv6SubnetMin: null,
    ipv6SubnetMax: null,
    backend: {
      type: 'vxlan',
      vni: 1,
      port: null,
      outerMtuBytes: null,
      gbp: false,
      learning: false,
      directRouting: false,
    },
  },
  warnings: [],
  source: 'etcdctl get /coreos.com/network/config',
};

export const UNDERLAY: Underlay = {
  device: 'e0',
  mtuBytes: 1500,
  ipv4: '192.168.77.1',
  ipv6: null,
  publicIp: '192.168.77.1',
  publicIpv6: null,
  because: '--iface=e0',
};

export function linkOf(more: Partial<LinkEntry> = {}): LinkEntry {
  return {
    kind: 'link',
    device: 'flannel.1',
    vni: 1,
    port: 8472,
    local: '192.168.77.1',
    underlay: 'e0',
    mtuBytes: 1450,
    mac: '02:00:00:00:00:01',
    learning: false,
    gbp: false,
    isUp: true,
    ...more,
  };
}

/** flannel.1 with 10.244.1.0/32, and nothing else. */
export function actualOverlay(more: Partial<ActualOverlay> = {}): ActualOverlay {
  return {
    links: [linkOf()],
    strangers: {},
    addresses: [{ kind: 'address', device: 'flannel.1', address: '10.244.1.0/32' }],
    neighbours: [],
    fdb: [],
    routes: [],
    ...more,
  };
}

export function desiredOverlay(...peers: readonly OverlayPeer[]): DesiredOverlay {
  return { entries: [], devices: ['flannel.1'], networks: ['10.244.0.0/16'], peers, ignored: [] };
}

/** An interface with one address. */
export function interfaceOf(name: string, ip: string): InterfaceInfo {
  return {
    index: 2,
    name,
    kind: '',
    mtuBytes: 1500,
    mac: '',
    isUp: true,
    hasCarrier: true,
    master: null,
    addresses: [
      { family: 4, ip, prefixLength: 24, scope: 'global', isDynamic: false, isTemporary: false, isDeprecated: false },
    ],
    vxlan: null,
    counters: null,
  };
}
