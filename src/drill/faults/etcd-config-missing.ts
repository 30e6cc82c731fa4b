import { CONFIG_KEY } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { NETWORK_CONFIG } from '../layout.ts';

export default defineFault({
  name: 'etcd-config-missing',
  check: 'etcd-config-missing',
  title: 'the network configuration is deleted from etcd',
  also: [],
  repair: 'heal',
  stores: ['etcd'],
  pairable: false,
  inject: ({ raw }) => raw.delete(CONFIG_KEY),
  heal: ({ raw }) => raw.put(CONFIG_KEY, NETWORK_CONFIG),
});
