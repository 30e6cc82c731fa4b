import { changeConfig } from '../change-config.ts';
import { defineFault } from '../fault.ts';
import { NETWORK, NETWORK_CONFIG } from '../layout.ts';

export default defineFault({
  name: 'netconf-range-invalid',
  check: 'netconf-range-invalid',
  title: 'the network configuration gets a SubnetLen that leaves no four subnets',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ store }) =>
    changeConfig(store, JSON.stringify({ Network: NETWORK, SubnetLen: 17, Backend: { Type: 'vxlan' } })),
  heal: ({ store }) => changeConfig(store, NETWORK_CONFIG),
});
