const NAMED_AT_MOST = 5;

/** `a, b and 3 more`: at most five are named, each once. */
export function nameEn(items: readonly string[]): string {
  const { named, more } = split(items);
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `a、b，另有 3 个`: at most five are named, each once. */
export function nameZh(items: readonly string[]): string {
  const { named, more } = split(items);
  return `${named.join('、')}${more > 0 ? `，另有 ${more} 个` : ''}`;
}

/** `1 peer has`, `3 peers have`. */
export function peersHave(subnets: readonly string[]): string {
  const count = new Set(subnets).size;
  return count === 1 ? '1 peer has' : `${count} peers have`;
}

export function countOf(items: readonly string[]): number {
  return new Set(items).size;
}

function split(items: readonly string[]): { readonly named: readonly string[]; readonly more: number } {
  const distinct = [...new Set(items)];
  return { named: distinct.slice(0, NAMED_AT_MOST), more: Math.max(0, distinct.length - NAMED_AT_MOST) };
}
