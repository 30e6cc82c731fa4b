import { UnavailableError } from '../errors.ts';
import type { Argv, Host } from '../host/host.ts';
import { canonicalIp } from '../net/cidr.ts';
import { parsePing } from './ping-output.ts';

/** What came back of a few ICMP echo requests. */
export interface EchoOutcome {
  readonly sent: number;
  readonly received: number;
  /** Fastest answer; `null`: none came. */
  readonly rttMs: number | null;
  /** A local refusal that says nothing of the peer: `Network is unreachable`, `Operation not permitted`; `null`: the packets left. */
  readonly localError: string | null;
  /** The first ICMP error that came instead of an answer; left out: none came. */
  readonly refusal?: EchoRefusal;
}

/** `192.168.1.1` says `Destination Host Unreachable`; an address of this host means that the neighbour did not answer ARP. */
export interface EchoRefusal {
  readonly from: string;
  /** As ping words it. */
  readonly text: string;
}

export interface EchoRequest {
  readonly address: string;
  /** A local address to send from; left out: the kernel chooses. */
  readonly source?: string;
  /** Firewall mark of the packets; needs CAP_NET_ADMIN. Left out: none. */
  readonly mark?: number;
  readonly count: number;
  /** Without root not less than 200. */
  readonly intervalMs: number;
  /** Wait for an answer after the last request; ping takes whole seconds, it is rounded up. */
  readonly timeoutMs: number;
}

/**
 * ICMP echo through ping of iputils, which has the capability for a raw socket where flannelctl may not.
 *
 * @throws {UnavailableError} `permission` when ping may open no socket, `missing-tool`, `unsupported` for a ping that is not iputils'.
 */
export async function echo(host: Host, request: EchoRequest): Promise<EchoOutcome> {
  const result = await host.exec(pingArgv(request), {
    timeoutMs: request.count * request.intervalMs + request.timeoutMs + SPARE_MS,
  });
  return parsePing(result);
}

/** The same measurement as a line the reader can repeat. */
export function pingCommand(request: EchoRequest): string {
  return pingArgv(request).join(' ');
}

/** Time for ping to start and to end beyond what it was told. */
const SPARE_MS = 3000;

function pingArgv({ address, source, mark, count, intervalMs, timeoutMs }: EchoRequest): Argv {
  return [
    'ping',
    '-n',
    '-c',
    String(count),
    '-i',
    String(intervalMs / 1000),
    '-W',
    String(Math.ceil(timeoutMs / 1000)),
    ...(source === undefined ? [] : ['-I', checked(source)]),
    ...(mark === undefined ? [] : ['-m', String(mark)]),
    checked(address),
  ];
}

function checked(address: string): string {
  const ip = canonicalIp(address);
  if (ip !== undefined) return ip;
  throw new UnavailableError('malformed', `${JSON.stringify(address)} is no address that could be asked`);
}
