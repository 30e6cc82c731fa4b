import { describe, expect, it } from 'vitest';
import { encodeEcho, parseEchoReply } from '../../src/probe/vxlan-frame.ts';

const FRAME = {
  vni: 1,
  source: { overlayIp: '10.244.1.0', mac: '02:00:00:00:00:01' },
  target: { overlayIp: '10.244.2.0', mac: '02:00:00:00:00:02' },
  identifier: 0x1234,
  sequence: 7,
};
/** VXLAN header, Ethernet header, IPv4 header. */
const ICMP_AT = (8 + 14 + 20) * 2;

/** What the kernel of the target makes of a request: the ends change places, the type is 0. */
function replyTo(request: string): string {
  const ip = (8 + 14) * 2;
  const swapped = request.slice(ip + 32, ip + 40) + request.slice(ip + 24, ip + 32);
  return `${request.slice(0, ip + 24)}${swapped}00${request.slice(ICMP_AT + 2)}`;
}

describe('an echo in VXLAN', () => {
  it('is laid out as the standards say', () => {
    const hex = encodeEcho(FRAME);
    expect(hex.slice(0, 16)).toBe('0800000000000100');
    expect(hex.slice(16, 44)).toBe('0200000000020200000000010800');
    expect(hex.slice(44, ICMP_AT)).toMatch(/^45000026000000004001[0-9a-f]{4}0af401000af40200$/);
    expect(hex.slice(ICMP_AT)).toMatch(/^0800[0-9a-f]{4}12340007/);
  });

  it('has sums that come out as zero', () => {
    const bytes = Buffer.from(encodeEcho(FRAME), 'hex');
    expect([sumOf(bytes.subarray(22, 42)), sumOf(bytes.subarray(42))]).toEqual([0xffff, 0xffff]);
  });

  it('is known by its reply', () => {
    expect(parseEchoReply(replyTo(encodeEcho(FRAME)))).toEqual({
      ...{ vni: 1, from: '10.244.2.0', to: '10.244.1.0', identifier: 0x1234, sequence: 7 },
    });
  });

  it.each([
    ['a request', (hex: string) => hex],
    ['nothing', () => ''],
    ['a cut datagram', (hex: string) => replyTo(hex).slice(0, 90)],
    ['another protocol', (hex: string) => replyTo(hex).replace('4001', '4011')],
    ['a header without its flag', (hex: string) => `00${replyTo(hex).slice(2)}`],
  ])('is not taken for a reply: %s', (_, make) => {
    expect(parseEchoReply(make(encodeEcho(FRAME)))).toBeUndefined();
  });
});

/** Sum of 16-bit words with the carry (RFC 1071). */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}
