import { CONFIG_KEY } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { NETWORK_CONFIG } from '../layout.ts';

const ELSEWHERE = '/flannel/network/config';

export default defineFault({
  name: 'etcd-config-missing-elsewhere',
  check: 'etcd-config-missing',
  title: 'the network configuration stands under another prefix than the one flannel reads',
  also: [],
  repair: 'heal',
  stores: ['etcd'],
  pairable: false,
  inject: async ({ raw }) => {
    await raw.put(ELSEWHERE, NETWORK_CONFIG);
    await raw.delete(CONFIG_KEY);
  },
  heal: async ({ raw }) => {
    await raw.put(CONFIG_KEY, NETWORK_CONFIG);
    await raw.delete(ELSEWHERE);
  },
});
