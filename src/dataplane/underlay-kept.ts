import type { Underlay, UnderlayInput } from './underlay.ts';

/**
 * The interface of before, where it still has the address that the tunnel sends from: a default route that is gone for a while (a DHCP
 * client that starts again) takes no tunnel with it, and the entries of the peers need looking after all the same.
 */
export function keptUnderlay(
  last: Underlay | undefined,
  { interfaces }: Pick<UnderlayInput, 'interfaces'>,
): Underlay | undefined {
  const face = interfaces.find(({ name }) => name === last?.device);
  if (last === undefined || face === undefined || face.mtuBytes === 0) return undefined;
  const isThere = (wanted: string | null) => wanted === null || face.addresses.some(({ ip }) => ip === wanted);
  return isThere(last.ipv4) && isThere(last.ipv6) ? { ...last, mtuBytes: face.mtuBytes } : undefined;
}
