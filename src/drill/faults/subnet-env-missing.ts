import { defineFault } from '../fault.ts';
import { SUBNET_FILE } from '../layout.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'subnet-env-missing',
  check: 'subnet-env-missing',
  title: 'the subnet file is deleted',
  also: [],
  repair: 'heal',
  pairable: false,
  inject: async ({ node }) => {
    await node.must(['rm', '--', SUBNET_FILE]);
  },
  heal: ({ node }) => reprogram(node),
});
