import { CONFIG_KEY } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { ETCD_ENDPOINT, NETWORK_CONFIG } from '../layout.ts';

const V2 = ['env', 'ETCDCTL_API=2', 'etcdctl', '--endpoints', ETCD_ENDPOINT] as const;

export default defineFault({
  name: 'etcd-v2-data',
  check: 'etcd-v2-data',
  title: 'the network configuration is in the v2 API of etcd alone',
  also: ['etcd-config-missing'],
  repair: 'heal',
  stores: ['etcd'],
  pairable: false,
  inject: async ({ raw, onSwitch }) => {
    await onSwitch([...V2, 'set', CONFIG_KEY, NETWORK_CONFIG]);
    await raw.delete(CONFIG_KEY);
  },
  heal: async ({ raw, onSwitch }) => {
    await raw.put(CONFIG_KEY, NETWORK_CONFIG);
    await onSwitch(['sh', '-c', '"$@" || true', 'sh', ...V2, 'rm', CONFIG_KEY]);
  },
});
