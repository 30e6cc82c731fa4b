import { defineFault } from '../fault.ts';
import { addLink, firstPeer, remakeLink } from '../reprogram.ts';

export default defineFault({
  name: 'vni-or-port-mismatch-port',
  check: 'vni-or-port-mismatch',
  title: "a peer's flannel.1 is on the UDP port of IANA, not on the kernel's",
  also: ['peers-unreachable'],
  repair: 'heal',
  pairable: false,
  inject: ({ peers }) => addLink(firstPeer(peers), { port: 4789 }),
  heal: ({ peers }) => remakeLink(firstPeer(peers)),
});
