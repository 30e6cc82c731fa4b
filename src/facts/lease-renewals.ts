import { AbsentError } from '../errors.ts';
import { FLANNEL_DEFAULTS } from '../net/flannel-options.ts';
import type { LeaseRecord } from '../store/store.ts';
import { leasesFact, ownLeaseFact } from './datastore.ts';
import { type CollectContext, defineFact } from './fact.ts';
import { type FlannelStart, flannelStartFact } from './flannel.ts';

/** A lease that its owner should have renewed by now. */
export interface OverdueLease {
  readonly key: string;
  /** CIDR notation, IPv4 first. */
  readonly subnet: string;
  /** Of its owner; `null`: it publishes none. */
  readonly publicIp: string | null;
  readonly remainingSeconds: number;
  /** With how many seconds left flannel renews. */
  readonly marginSeconds: number;
  readonly isOwn: boolean;
}

/** Absent with Kubernetes, where leases do not expire. */
export const overdueLeasesFact = defineFact<readonly OverdueLease[]>({
  name: 'overdue-leases',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'leases of Kubernetes do not expire' },
  collect: async (context) => {
    const install = await context.get(flannelStartFact);
    if (install.subnetManager === 'kube') throw new AbsentError('leases of Kubernetes do not expire');
    const [{ records }, ownKey] = await Promise.all([context.get(leasesFact), ownKeyOf(context)]);
    return overdueLeases(records, { install, ownKey, now: context.startedAt });
  },
});

export interface RenewalScene {
  readonly install: Pick<FlannelStart, 'options' | 'process'>;
  /** Key of this host's lease; `null`: it has none. */
  readonly ownKey: string | null;
  /** Epoch ms. */
  readonly now: number;
}

/** A lease without a TTL is never overdue. */
export function overdueLeases(records: readonly LeaseRecord[], scene: RenewalScene): readonly OverdueLease[] {
  return records.flatMap((record): readonly OverdueLease[] => {
    const { key, expiresAt } = record;
    if (record.kind !== 'lease' || expiresAt === null || expiresAt === undefined) return [];
    const remainingSeconds = Math.max(0, Math.round((expiresAt - scene.now) / 1000));
    const marginSeconds = marginOf(expiresAt, scene);
    if (remainingSeconds >= marginSeconds - graceOf(marginSeconds)) return [];
    const { publicIp, publicIpv6 } = record.attributes;
    return [
      {
        key,
        subnet: record.subnet ?? record.ipv6Subnet ?? key,
        publicIp: publicIp ?? publicIpv6,
        remainingSeconds,
        marginSeconds,
        isOwn: key === scene.ownKey,
      },
    ];
  });
}

/** A lease lives for 24 hours from each renewal (flannel pkg/subnet/etcd: subnetTTL). */
const LEASE_MS = 86_400_000;
/** flannel tries again every minute: one miss is no news. */
const GRACE_SECONDS = 90;

/**
 * The margin of the owner is not published, so that it is taken to be that of the flanneld here. Where that one was given a longer margin than
 * usual, a peer that renewed before it was started may not have been restarted with the new margin yet: then the default counts.
 */
function marginOf(expiresAt: number, { install: { options, process } }: RenewalScene): number {
  const own = options.subnetLeaseRenewMarginMinutes * 60;
  const usual = FLANNEL_DEFAULTS.subnetLeaseRenewMarginMinutes * 60;
  const isOlder = process !== null && expiresAt - LEASE_MS < process.startedAt;
  return isOlder ? Math.min(own, usual) : own;
}

function graceOf(marginSeconds: number): number {
  return Math.min(GRACE_SECONDS, marginSeconds / 2);
}

async function ownKeyOf(context: CollectContext): Promise<string | null> {
  const own = await context.observe(ownLeaseFact);
  return own.status === 'known' ? own.value.key : null;
}
