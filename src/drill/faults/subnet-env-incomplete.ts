import { defineFault } from '../fault.ts';
import { SUBNET_FILE } from '../layout.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'subnet-env-incomplete',
  check: 'subnet-env-incomplete',
  title: 'the subnet file loses its FLANNEL_MTU',
  also: [],
  repair: 'fix',
  inject: async ({ node }) => {
    await node.must(['sed', '-i', '/^FLANNEL_MTU=/d', SUBNET_FILE]);
  },
  heal: ({ node }) => reprogram(node),
});
