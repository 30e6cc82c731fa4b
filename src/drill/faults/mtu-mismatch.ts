import { defineFault } from '../fault.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'mtu-mismatch',
  check: 'mtu-mismatch',
  title: 'the mtu of flannel.1 is lowered',
  also: [],
  repair: 'fix',
  inject: async ({ node }) => {
    await node.must(['ip', 'link', 'set', 'dev', node.device, 'mtu', '1300']);
  },
  heal: ({ node }) => reprogram(node),
});
