import { defineFault } from '../fault.ts';
import { putOwnLease } from '../lease-record.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'backend-mixed',
  check: 'backend-mixed',
  title: 'a peer publishes host-gw where the others run vxlan',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ peers, raw }) => putOwnLease(raw, firstPeer(peers), { backendType: 'host-gw', vtep: null }),
  heal: ({ peers, raw }) => putOwnLease(raw, firstPeer(peers)),
});
