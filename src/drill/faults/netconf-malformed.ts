import { changeConfig } from '../change-config.ts';
import { defineFault } from '../fault.ts';
import { NETWORK, NETWORK_CONFIG } from '../layout.ts';

export default defineFault({
  name: 'netconf-malformed',
  check: 'netconf-malformed',
  title: 'the network configuration gets a comma too many',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ store }) => changeConfig(store, `{ "Network": "${NETWORK}", "Backend": { "Type": "vxlan", }, }`),
  heal: ({ store }) => changeConfig(store, NETWORK_CONFIG),
});
