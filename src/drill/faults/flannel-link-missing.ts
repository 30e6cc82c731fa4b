import { defineFault } from '../fault.ts';
import { remakeLink } from '../reprogram.ts';

export default defineFault({
  name: 'flannel-link-missing',
  check: 'flannel-link-missing',
  title: 'flannel.1 is deleted',
  also: ['flannel-link-no-address', 'route-missing', 'arp-missing', 'fdb-missing', 'peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'del', 'dev', node.device]);
  },
  heal: ({ node }) => remakeLink(node),
});
