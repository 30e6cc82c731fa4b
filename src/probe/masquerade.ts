import type { Host } from '../host/host.ts';
import type { Family } from '../net/cidr.ts';

const NAMES = {
  4: { nft: 'ip', tables: '/proc/net/ip_tables_names', save: 'iptables-legacy-save' },
  6: { nft: 'ip6', tables: '/proc/net/ip6_tables_names', save: 'ip6tables-legacy-save' },
} as const;

/**
 * Whether kube-proxy's rules give packets with mark 0x4000 another source address. Flannel's rules do so with packets that lack it, so
 * that nothing sent from this node's underlay address into the overlay keeps its source where both are.
 */
export async function rewritesMarked(host: Host, family: Family): Promise<boolean> {
  return (await nftRewrites(host, family)) || (await legacyRewrites(host, family));
}

async function nftRewrites(host: Host, family: Family): Promise<boolean> {
  const { exitCode, stdout } = await host.exec(['nft', 'list', 'chains', NAMES[family].nft]);
  return exitCode === 0 && (/^\s*chain KUBE-POSTROUTING \{/m.test(stdout) || /^table ip6? kube-proxy \{/m.test(stdout));
}

/** The list is asked first: iptables-legacy-save would load the module and make the table that it is asked for. */
async function legacyRewrites(host: Host, family: Family): Promise<boolean> {
  const { exitCode, stdout: tables } = await host.exec(['cat', NAMES[family].tables]);
  if (exitCode !== 0 || !tables.split('\n').includes('nat')) return false;
  const { stdout } = await host.exec([NAMES[family].save, '-t', 'nat']);
  return /^:KUBE-POSTROUTING /m.test(stdout);
}
