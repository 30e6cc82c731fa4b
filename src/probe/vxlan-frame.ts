import { ipToNumber } from '../net/cidr.ts';

/** An ICMP echo request in IPv4, Ethernet and VXLAN. Addresses are canonical text. */
export interface EchoFrame {
  readonly vni: number;
  readonly source: { readonly overlayIp: string; readonly mac: string };
  readonly target: { readonly overlayIp: string; readonly mac: string };
  /** 0 to 65535. */
  readonly identifier: number;
  /** 0 to 65535. */
  readonly sequence: number;
}

export interface EchoReply {
  readonly vni: number;
  readonly from: string;
  readonly to: string;
  readonly identifier: number;
  readonly sequence: number;
}

/** VXLAN header: flag I, VNI (RFC 7348 §5). */
const VXLAN_BYTES = 8;
const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const ICMP_BYTES = 8;
const PAYLOAD = Buffer.from('flannelctl');

const VNI_IS_VALID = 0x08;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_ICMP = 1;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** The payload of the outer UDP datagram, as hexadecimal digits. */
export function encodeEcho({ vni, source, target, identifier, sequence }: EchoFrame): string {
  const vxlan = Buffer.alloc(VXLAN_BYTES);
  vxlan.writeUInt8(VNI_IS_VALID, 0);
  vxlan.writeUIntBE(vni, 4, 3);
  const ethernet = Buffer.concat([macBytes(target.mac), macBytes(source.mac), Buffer.from([0x08, 0x00])]);
  const icmp = icmpRequest(identifier, sequence);
  const ip = ipv4Header({ from: source.overlayIp, to: target.overlayIp, length: icmp.length });
  return Buffer.concat([vxlan, ethernet, ip, icmp]).toString('hex');
}

/** `undefined` for whatever else comes to the port of a tunnel. */
export function parseEchoReply(payloadHex: string): EchoReply | undefined {
  const bytes = Buffer.from(payloadHex, 'hex');
  const ip = VXLAN_BYTES + ETHERNET_BYTES;
  if (bytes.length < ip + IPV4_BYTES + ICMP_BYTES || (bytes.readUInt8(0) & VNI_IS_VALID) === 0) return undefined;
  if (bytes.readUInt16BE(VXLAN_BYTES + 12) !== ETHERTYPE_IPV4 || bytes.readUInt8(ip) >> 4 !== 4) return undefined;
  const icmp = ip + (bytes.readUInt8(ip) & 0x0f) * 4;
  if (bytes.readUInt8(ip + 9) !== PROTOCOL_ICMP || bytes.length < icmp + ICMP_BYTES) return undefined;
  if (bytes.readUInt8(icmp) !== ECHO_REPLY) return undefined;
  return {
    vni: bytes.readUIntBE(4, 3),
    from: ipText(bytes, ip + 12),
    to: ipText(bytes, ip + 16),
    identifier: bytes.readUInt16BE(icmp + 4),
    sequence: bytes.readUInt16BE(icmp + 6),
  };
}

function icmpRequest(identifier: number, sequence: number): Buffer {
  const icmp = Buffer.concat([Buffer.alloc(ICMP_BYTES), PAYLOAD]);
  icmp.writeUInt8(ECHO_REQUEST, 0);
  icmp.writeUInt16BE(identifier, 4);
  icmp.writeUInt16BE(sequence, 6);
  icmp.writeUInt16BE(checksum(icmp), 2);
  return icmp;
}

function ipv4Header({ from, to, length }: { from: string; to: string; length: number }): Buffer {
  const header = Buffer.alloc(IPV4_BYTES);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(IPV4_BYTES + length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(PROTOCOL_ICMP, 9);
  header.writeUInt32BE(Number(ipToNumber(from, 4)), 12);
  header.writeUInt32BE(Number(ipToNumber(to, 4)), 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

/** Ones' complement of the ones' complement sum of the 16-bit words (RFC 1071). The field itself has to be zero. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += at + 1 < bytes.length ? bytes.readUInt16BE(at) : bytes.readUInt8(at) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function ipText(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}
