import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../src/errors.ts';
import { echo } from '../../src/probe/echo.ts';
import { parsePing } from '../../src/probe/ping-output.ts';

const ended = (stdout: string, stderr = '', exitCode = 1) => ({ stdout, stderr, exitCode });
const SILENT =
  '\n--- 192.168.77.10 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms\n';

function reasonOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof UnavailableError) return error.reason;
    throw error;
  }
  return undefined;
}

describe('the output of ping (iputils 20221126)', () => {
  it('reads what was sent, what came back, and the fastest round trip', () => {
    const stdout =
      'PING 10.244.2.0 (10.244.2.0) 56(84) bytes of data.\n\n--- 10.244.2.0 ping statistics ---\n' +
      '3 packets transmitted, 2 received, 33% packet loss, time 404ms\nrtt min/avg/max/mdev = 0.033/0.059/0.079/0.019 ms\n';
    expect(parsePing(ended(stdout, '', 0))).toEqual({ sent: 3, received: 2, rttMs: 0.033, localError: null });
  });

  it('keeps who answered with an error, and which', () => {
    const stdout = `From 192.168.77.1 icmp_seq=1 Destination Host Unreachable\n${SILENT}`;
    expect(parsePing(ended(stdout)).refusal).toEqual({ from: '192.168.77.1', text: 'Destination Host Unreachable' });
  });

  it('takes a packet that the local filter ate for a local error', () => {
    expect(parsePing(ended(SILENT, 'ping: sendmsg: Operation not permitted\n')).localError).toBe(
      'Operation not permitted',
    );
  });

  it('takes a mark that could not be set for a local error', () => {
    const stderr = 'ping: WARNING: failed to set mark: 16384: Operation not permitted\n';
    expect(parsePing(ended(SILENT, stderr)).localError).toBe('Operation not permitted');
  });

  it.each([
    ['ping: connect: Network is unreachable\n', 'Network is unreachable'],
    ['ping: connect: Invalid argument\n', 'Invalid argument'],
    ['ping: bind: Cannot assign requested address\n', 'Cannot assign requested address'],
    ['ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules\n', 'Permission denied'],
  ])('takes %j for a local error', (stderr, text) => {
    expect(parsePing(ended('', stderr, 2))).toEqual({ sent: 0, received: 0, rttMs: null, localError: text });
  });

  it('does not know about a peer whom ping may not ask', () => {
    const stderr =
      'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\nping: => missing cap_net_raw+p capability or setuid?\n';
    expect(reasonOf(() => parsePing(ended('', stderr, 2)))).toBe('permission');
  });

  it.each(['', '3 packets transmitted, 3 packets received, 0% packet loss\n', 'PING \u001b[31m'])(
    'does not guess at %j',
    (stdout) => {
      expect(reasonOf(() => parsePing(ended(stdout)))).toBe('unsupported');
    },
  );

  it('never hands what is no address to ping', async () => {
    const host = new Proxy(Object.create(null), { get: () => () => Promise.reject(new Error('was run')) });
    const request = { address: '-f', count: 1, intervalMs: 200, timeoutMs: 1000 };
    await expect(echo(host, request)).rejects.toThrow('is no address');
  });
});
