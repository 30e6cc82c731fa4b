const NUMBERS: Readonly<Record<string, string>> = {
  icmp: '1',
  igmp: '2',
  ipencap: '4',
  tcp: '6',
  udp: '17',
  dccp: '33',
  gre: '47',
  esp: '50',
  ah: '51',
  icmpv6: '58',
  'ipv6-icmp': '58',
  ospf: '89',
  comp: '108',
  ipcomp: '108',
  vrrp: '112',
  sctp: '132',
  udplite: '136',
};

/** Decimal protocol number of a name or number; the text itself for a name that is not listed, which then equals nothing of ours. */
export function protocolNumber(name: string): string {
  return NUMBERS[name.toLowerCase()] ?? name;
}
