/** Chance that a seed decides: the same seed, the same answers in the same order. */
export interface Random {
  /** An integer from 0 to below `limit`; 0 where there is nothing to choose from. */
  below(limit: number): number;
  isLucky(probability: number): boolean;
  /** `undefined`: the list is empty. */
  pick<T>(list: readonly T[]): T | undefined;
}

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, isLucky: (probability) => next() < probability, pick: (list) => list[below(list.length)] };
}
