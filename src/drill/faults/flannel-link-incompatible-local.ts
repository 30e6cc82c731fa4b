import { defineFault } from '../fault.ts';
import { remakeLink } from '../reprogram.ts';

export default defineFault({
  name: 'flannel-link-incompatible-local',
  check: 'flannel-link-incompatible',
  title: 'flannel.1 sends from an address that this node does not have',
  also: ['peers-unreachable'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'type', 'vxlan', 'local', '192.0.2.1']);
  },
  heal: ({ node }) => remakeLink(node),
});
