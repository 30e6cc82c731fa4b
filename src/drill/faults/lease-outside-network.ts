import { changeConfig } from '../change-config.ts';
import { defineFault } from '../fault.ts';
import { NETWORK, NETWORK_CONFIG } from '../layout.ts';

export default defineFault({
  name: 'lease-outside-network',
  check: 'lease-outside-network',
  title: 'SubnetMin is moved beyond the subnets of all nodes while their daemons run',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ store }) =>
    changeConfig(store, JSON.stringify({ Network: NETWORK, SubnetMin: '10.244.224.0', Backend: { Type: 'vxlan' } })),
  heal: ({ store }) => changeConfig(store, NETWORK_CONFIG),
});
