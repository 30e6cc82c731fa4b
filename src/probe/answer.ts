import type { ConnectOutcome, Host } from '../host/host.ts';
import { type EchoOutcome, echo } from './echo.ts';

/** Whether a host answers at all. */
export interface Answer {
  readonly echo: EchoOutcome;
  /** TCP handshakes, tried when no echo came back: a refusal is an answer too. `null`: not tried. */
  readonly tcp: ConnectOutcome | null;
  readonly answered: boolean;
}

/** How the echo of every probe is sent: three in 0.4 s, and a second for the last one to come back. */
export const ECHO_TRIES = { count: 3, intervalMs: 200, timeoutMs: 1000 } as const;

/** Discard, where nothing listens, and kubelet, which many packet filters let through between nodes. */
export const TCP_PORTS = [9, 10_250] as const;
const TCP_TIMEOUT_MS = 500;

/** Runs at most so many of the given things at once. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** ICMP echo; where it is silent, TCP. `limit` bounds the processes, not the sockets. */
export async function probeAnswer(host: Host, address: string, limit: Limit): Promise<Answer> {
  const outcome = await limit(() => echo(host, { address, ...ECHO_TRIES }));
  const isAnswered = outcome.received > 0 || outcome.refusal?.from === address;
  if (isAnswered || outcome.localError !== null) return { echo: outcome, tcp: null, answered: isAnswered };
  const tcp = await connectAny(host, address);
  return { echo: outcome, tcp, answered: tcp === 'open' || tcp === 'refused' };
}

async function connectAny(host: Host, address: string): Promise<ConnectOutcome> {
  const outcomes = await Promise.all(
    TCP_PORTS.map((port) => host.connect({ address, port, timeoutMs: TCP_TIMEOUT_MS })),
  );
  return BY_WORTH.find((outcome) => outcomes.includes(outcome)) ?? 'silent';
}

/** What says most first. */
const BY_WORTH: readonly ConnectOutcome[] = ['open', 'refused', 'unreachable', 'silent'];
