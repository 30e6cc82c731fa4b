import { vxlanOf } from '../dataplane/desired.ts';
import { DEFAULT_PORT } from '../dataplane/device.ts';
import type { NetworkConfig } from '../store/config.ts';

/**
 * What of a new configuration all nodes have to agree on, one text each: `VNI 1 → 2`. A node that took it alone would be cut off from those
 * that have not read it yet, and flanneld never reads it again. Empty: this node can take it now.
 */
export function agreedChanges(before: NetworkConfig, after: NetworkConfig): readonly string[] {
  const [old, next] = [agreedOf(before), agreedOf(after)];
  const names = [...new Set([...old.keys(), ...next.keys()])];
  return names
    .filter((name) => old.get(name) !== next.get(name))
    .map((name) => `${name} ${old.get(name) ?? 'none'} → ${next.get(name) ?? 'none'}`);
}

function agreedOf(config: NetworkConfig): ReadonlyMap<string, string> {
  const { enableIPv4, enableIPv6, network, ipv6Network, backend } = config;
  const shared: readonly (readonly [string, string])[] = [
    ['Network', enableIPv4 ? String(network) : 'off'],
    // Whoever has IPv6 off may keep any network there (k3s writes ::/0).
    ['IPv6Network', enableIPv6 ? String(ipv6Network) : 'off'],
  ];
  if (backend.type !== 'vxlan') return new Map([...shared, ['Backend', backend.name]]);
  const { vni, port, gbp } = vxlanOf(config);
  return new Map([
    ...shared,
    ['Backend', 'vxlan'],
    ['VNI', String(vni)],
    ['Port', String(port ?? DEFAULT_PORT)],
    ['GBP', String(gbp)],
  ]);
}
