import type { Family } from '../net/cidr.ts';

/** A network interface, as far as the choice of the underlay looks at it. */
export interface UnderlayInterface {
  readonly name: string;
  readonly mtuBytes: number;
  readonly addresses: readonly UnderlayAddress[];
}

export interface UnderlayAddress {
  readonly family: Family;
  readonly ip: string;
  /** `global`, `link`, `host`, `site`. */
  readonly scope: string;
  readonly isDynamic: boolean;
  readonly isTemporary: boolean;
  readonly isDeprecated: boolean;
}

/**
 * Addresses of one family, best first: global before link-local, permanent before dynamic, stable before temporary; deprecated
 * ones are left out (flannel pkg/ip GetInterfaceIP4Addrs since v0.28.0; the kernel's order decides what is left).
 */
export function addressesOf(face: UnderlayInterface, family: Family): readonly string[] {
  return face.addresses
    .filter((address) => address.family === family && !address.isDeprecated)
    .map((address, index) => ({ address, index }))
    .sort((a, b) => rank(a.address) - rank(b.address) || a.index - b.index)
    .map(({ address }) => address.ip);
}

function rank({ scope, isDynamic, isTemporary }: UnderlayAddress): number {
  return (scope === 'global' ? 0 : 4) + (isDynamic ? 2 : 0) + (isTemporary ? 1 : 0);
}
