import { changeConfig } from '../change-config.ts';
import { defineFault } from '../fault.ts';
import { NETWORK, NETWORK_CONFIG } from '../layout.ts';

export default defineFault({
  name: 'netconf-backend-missing',
  check: 'netconf-backend-missing',
  title: 'the network configuration loses its Backend',
  also: ['lease-attrs-mismatch'],
  repair: 'heal',
  pairable: false,
  inject: ({ store }) => changeConfig(store, JSON.stringify({ Network: NETWORK })),
  heal: ({ store }) => changeConfig(store, NETWORK_CONFIG),
});
