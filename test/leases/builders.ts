import type { JudgedLease } from '../../src/leases/judged.ts';
import { judgeLease } from '../../src/leases/judged.ts';
import { type LeaseScene, leaseJudge } from '../../src/leases/states.ts';
import type { Silence } from '../../src/probe/silence-verdict.ts';
import { checkNetworkConfig, parseNetworkConfig } from '../../src/store/config.ts';
import type { Lease, LeaseRecord, MalformedLease, UnreadableLease } from '../../src/store/store.ts';

export const NOW = Date.parse('2026-11-20T12:00:00Z');
export const MARGIN = 3600;

export interface LeaseParts {
  /** Default 24 h; `null`: none. */
  readonly ttl?: number | null | undefined;
  readonly key?: string;
  readonly publicIp?: string;
  readonly mac?: string;
  readonly node?: string;
  readonly ipv6Subnet?: string;
}

/** `10.244.N.0/24` of `192.0.2.N`. */
export function lease(number: number, parts: LeaseParts = {}): Lease {
  const subnet = `10.244.${number}.0/24`;
  return {
    kind: 'lease',
    key: parts.key ?? subnet.replace('/', '-'),
    ...timeOf(parts),
    modRevision: String(number),
    node: parts.node ?? null,
    subnet: parts.key === undefined ? subnet : parts.key.replace('-', '/'),
    ipv6Subnet: parts.ipv6Subnet ?? null,
    attributes: {
      publicIp: parts.publicIp ?? `192.0.2.${number}`,
      publicIpv6: null,
      backendType: 'vxlan',
      vtep: { vni: 1, mac: parts.mac ?? `02:00:00:00:00:${number.toString(16).padStart(2, '0')}` },
      vtepV6: null,
      backendData: null,
      backendV6Data: null,
    },
  };
}

export function unreadable(number: number, parts: Pick<LeaseParts, 'ttl'> = {}): UnreadableLease {
  const { key, subnet } = lease(number);
  const base = { key, subnet, ipv6Subnet: null, modRevision: String(number), node: null, ...timeOf(parts) };
  return { ...base, kind: 'unreadable-value', value: 'junk', reason: 'the value does not parse: it is not JSON' };
}

export function malformed(key: string, parts: Pick<LeaseParts, 'ttl'> = { ttl: null }): MalformedLease {
  const base = { key, modRevision: '1', node: null, ...timeOf(parts) };
  return { ...base, kind: 'malformed-key', value: 'junk', reason: 'the key is no subnet as flannel writes it' };
}

export function scene(more: Partial<LeaseScene> & { readonly network?: string } = {}): LeaseScene {
  const { network = '10.244.0.0/16', ...rest } = more;
  const text = JSON.stringify({ Network: network, Backend: { Type: 'vxlan' } });
  const { config } = checkNetworkConfig(parseNetworkConfig(text).config);
  const self = { addresses: [], vtepMacs: [], subnetAddresses: [] };
  return { now: NOW, storeKind: 'etcd', config, marginSeconds: MARGIN, self, nodes: null, ...rest };
}

/** All of them judged; `silence` by key. */
export function judged(
  records: readonly LeaseRecord[],
  more: Parameters<typeof scene>[0] & { readonly silence?: Readonly<Record<string, Silence['verdict']>> } = {},
): readonly JudgedLease[] {
  const { silence = {}, ...rest } = more;
  const all = scene(rest);
  const judge = leaseJudge(records, all);
  return records.map((record) => {
    const verdict = silence[record.key];
    return judgeLease(record, { judge, scene: all }, verdict === undefined ? undefined : measured(verdict));
  });
}

export function measured(verdict: Silence['verdict']): Silence {
  return { verdict, because: { en: `measured: ${verdict}`, zh: `测得：${verdict}` } };
}

function timeOf({ ttl }: Pick<LeaseParts, 'ttl'>): Pick<Lease, 'expiresAt' | 'etcdLease'> {
  if (ttl === null) return { expiresAt: null, etcdLease: null };
  return { expiresAt: NOW + (ttl ?? 86_400) * 1000, etcdLease: '694d7bca' };
}
