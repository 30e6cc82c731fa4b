/** Few subnets, so that owners want the same: fourteen to be had. */
const IPV4 = { Network: '10.9.0.0/20', SubnetLen: 24, SubnetMax: '10.9.14.0', Backend: { Type: 'vxlan' } };

export const CONFIGS = {
  ipv4: JSON.stringify(IPV4),
  dual: JSON.stringify({ ...IPV4, EnableIPv6: true, IPv6Network: 'fd00:9::/56', IPv6SubnetLen: 64 }),
} as const;
