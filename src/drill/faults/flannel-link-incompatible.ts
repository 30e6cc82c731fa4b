import { defineFault } from '../fault.ts';
import { addLink, remakeLink } from '../reprogram.ts';

export default defineFault({
  name: 'flannel-link-incompatible',
  check: 'flannel-link-incompatible',
  title: 'flannel.1 is made anew with another UDP port and without entries',
  also: ['flannel-link-no-address', 'route-missing', 'arp-missing', 'fdb-missing', 'peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: ({ node }) => addLink(node, { port: 8473 }),
  heal: ({ node }) => remakeLink(node),
});
