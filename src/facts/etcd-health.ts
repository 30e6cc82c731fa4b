import type { EndpointLook, EndpointOutcome, EtcdAlarms } from '../store/health.ts';
import { etcdEndpointsFact, isServed, noAnswer, openHealth } from './etcd.ts';
import { type CollectContext, defineFact } from './fact.ts';

const ETCD_ONLY = { cost: 'passive', timeoutMs: 10_000, absence: { normal: 'another datastore than etcd' } } as const;

export interface TlsTrouble {
  readonly endpoint: string;
  readonly outcome: Extract<EndpointOutcome, { kind: 'tls' }>;
}

/** Endpoints with which TLS does not work; `unknown` when none was reached as far as that. */
export const etcdTlsFact = defineFact<{ readonly isServed: boolean; readonly troubles: readonly TlsTrouble[] }>({
  name: 'etcd-tls',
  ...ETCD_ONLY,
  collect: async (context) => {
    const looks = await context.get(etcdEndpointsFact);
    const troubles = looks.flatMap(({ endpoint, outcome }) => (outcome.kind === 'tls' ? [{ endpoint, outcome }] : []));
    if (troubles.length === 0 && !looks.some(isPastTls)) throw noAnswer(looks);
    return { isServed: isServed(looks) || looks.some(({ outcome }) => outcome.kind === 'denied'), troubles };
  },
});

function isPastTls({ outcome: { kind } }: EndpointLook): boolean {
  return kind === 'answers' || kind === 'denied' || kind === 'no-quorum' || kind === 'late';
}

export interface AccessDenial {
  readonly endpoint: string;
  readonly action: 'read' | 'list-leases' | 'write-leases';
  /** Goes on after the endpoint's name. */
  readonly words: string;
}

/** What etcd does not let us do; `unknown` when none of its members answers at all. */
export const etcdAccessFact = defineFact<readonly AccessDenial[]>({
  name: 'etcd-access',
  ...ETCD_ONLY,
  collect: async (context) => {
    const looks = await context.get(etcdEndpointsFact);
    if (isServed(looks)) return furtherDenials(context);
    const denied = looks.flatMap(({ endpoint, outcome }) =>
      outcome.kind === 'denied' ? [{ endpoint, action: 'read', words: outcome.words } as const] : [],
    );
    if (denied.length === 0) throw noAnswer(looks);
    return denied;
  },
});

async function furtherDenials(context: CollectContext): Promise<readonly AccessDenial[]> {
  const { endpoint, denials } = await (await openHealth(context)).access();
  return denials.map((denial) => ({ endpoint, ...denial }));
}

/** Alarms that the members of etcd have raised. */
export const etcdAlarmsFact = defineFact<EtcdAlarms>({
  name: 'etcd-alarms',
  ...ETCD_ONLY,
  collect: async (context) => (await openHealth(context)).alarms(),
});

/** How long etcd takes for a one-key read, over a connection that stands. */
export interface ReadTimes {
  readonly endpoint: string;
  /** Of {@link samples} reads, nearest rank; `atLeast`: none of them was answered in that time. */
  readonly p95Ms: number;
  readonly medianMs: number;
  readonly samples: number;
  readonly isAtLeast: boolean;
}

const SAMPLES = 20;
/** A share of one call's time for each of two rounds. */
const BUDGET_SHARE = 0.3;
/** From here on a second round decides: what was slow only once is a stall of this host. */
const SUSPICIOUS_MS = 50;

/** The better of two rounds. */
export const etcdReadTimesFact = defineFact<ReadTimes>({
  name: 'etcd-read-times',
  ...ETCD_ONLY,
  collect: async (context) => {
    const looks = await context.get(etcdEndpointsFact);
    const serving = looks.find(({ outcome }) => outcome.kind === 'answers');
    if (serving === undefined) return lateTimes(looks);
    const health = await openHealth(context);
    const round = async () =>
      summarize(serving.endpoint, await health.readTimes(SAMPLES, context.given.storeTimeoutMs * BUDGET_SHARE));
    const first = await round();
    if (first.p95Ms <= SUSPICIOUS_MS) return first;
    const second = await round();
    return second.p95Ms < first.p95Ms ? second : first;
  },
});

function lateTimes(looks: readonly EndpointLook[]): ReadTimes {
  for (const { endpoint, outcome } of looks) {
    if (outcome.kind !== 'late') continue;
    const { waitedMs } = outcome;
    return { endpoint, p95Ms: waitedMs, medianMs: waitedMs, samples: 1, isAtLeast: true };
  }
  throw noAnswer(looks);
}

function summarize(endpoint: string, times: readonly number[]): ReadTimes {
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (share: number) => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
  return { endpoint, p95Ms: rank(0.95), medianMs: rank(0.5), samples: sorted.length, isAtLeast: false };
}
