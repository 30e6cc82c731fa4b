import { changeConfig } from '../change-config.ts';
import { defineFault } from '../fault.ts';
import { NETWORK, NETWORK_CONFIG } from '../layout.ts';
import { overlayIp } from '../reprogram.ts';

export default defineFault({
  name: 'out-of-subnets',
  check: 'out-of-subnets',
  title: 'SubnetMin and SubnetMax leave room for just the nodes there are',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: ({ node, peers, store }) => {
    const taken = [node, ...peers].map(overlayIp).toSorted(byNumber);
    const range = { SubnetMin: taken[0], SubnetMax: taken.at(-1) };
    return changeConfig(store, JSON.stringify({ Network: NETWORK, ...range, Backend: { Type: 'vxlan' } }));
  },
  heal: ({ store }) => changeConfig(store, NETWORK_CONFIG),
});

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
