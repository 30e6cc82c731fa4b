const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Lower case with colons, or `undefined` for what is no unicast Ethernet address (multicast, all zero, other separators). */
export function canonicalMac(text: string): string | undefined {
  const mac = text.toLowerCase();
  if (!MAC.test(mac) || mac === '00:00:00:00:00:00') return undefined;
  const isMulticast = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  return isMulticast ? undefined : mac;
}
