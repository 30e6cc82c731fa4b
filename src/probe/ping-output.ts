import { UnavailableError } from '../errors.ts';
import type { ExecResult } from '../host/host.ts';
import { canonicalIp } from '../net/cidr.ts';
import type { EchoOutcome, EchoRefusal } from './echo.ts';

/** iputils 20121221 to 20240905: "3 packets transmitted, 2 received, +1 duplicates, +1 errors, 33% packet loss, time 404ms". */
const STATISTICS = /^(\d+) packets transmitted, (\d+) received,(?: \+\d+ \w+,)* [\d.]+% packet loss/m;
const ROUND_TRIP = /^rtt min\/avg\/max\/mdev = (\d+(?:\.\d+)?)\//m;
const REFUSAL = /^From (\S+?):? icmp_seq=\d+ ([ -~]{1,100})$/m;
/** Without capability; older ones say `icmp open socket`. */
const NO_SOCKET = /socket: (?:Operation not permitted|Permission denied)|missing cap_net_raw/;
/** What the kernel refuses before a packet leaves: a system call that ping names, or none, and the text of errno. */
const LOCAL =
  /^\S*ping6?: (?:(?:connect|bind|sendmsg|sendto|SO_BINDTODEVICE \S+): |WARNING: failed to set mark: \d+: )?(Network is unreachable|No route to host|Invalid argument|Permission denied|Operation not permitted|Cannot assign requested address|No such device|Network is down|Host is down|Message too long|No buffer space available)$/im;
/** What ping makes of EACCES at connect, which a `prohibit` route gives. */
const PROHIBITED = /Do you want to ping broadcast\?/;

/** @throws {UnavailableError} `permission`, or `unsupported` for output that is not iputils'. */
export function parsePing({ stdout, stderr, exitCode }: ExecResult): EchoOutcome {
  const statistics = STATISTICS.exec(stdout);
  if (NO_SOCKET.test(stderr)) {
    throw new UnavailableError('permission', 'ping may not open a raw socket', { hint: 'Run flannelctl as root.' });
  }
  const localError = localErrorOf(stderr);
  if (statistics !== null) return outcomeOf(stdout, statistics, localError);
  if (localError !== null) return { sent: 0, received: 0, rttMs: null, localError };
  const line = JSON.stringify((stderr || stdout).trim().split('\n')[0] ?? '').slice(0, 120);
  throw new UnavailableError('unsupported', `ping ended with ${exitCode} and does not speak as iputils does: ${line}`, {
    hint: 'Install ping of iputils.',
  });
}

function outcomeOf(stdout: string, statistics: RegExpExecArray, localError: string | null): EchoOutcome {
  const received = Number(statistics[2]);
  const roundTrip = ROUND_TRIP.exec(stdout)?.[1];
  const refusal = refusalOf(stdout);
  return {
    sent: Number(statistics[1]),
    received,
    rttMs: received > 0 && roundTrip !== undefined ? Number(roundTrip) : null,
    localError: received > 0 ? null : localError,
    ...(received > 0 || refusal === undefined ? {} : { refusal }),
  };
}

function refusalOf(stdout: string): EchoRefusal | undefined {
  const [, from = '', text = ''] = REFUSAL.exec(stdout) ?? [];
  const ip = canonicalIp(from);
  return ip === undefined ? undefined : { from: ip, text };
}

function localErrorOf(stderr: string): string | null {
  return LOCAL.exec(stderr)?.[1] ?? (PROHIBITED.test(stderr) ? 'Permission denied' : null);
}
