import { defineFault } from '../fault.ts';
import { SUBNET_FILE } from '../layout.ts';
import { reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'subnet-env-stale',
  check: 'subnet-env-stale',
  title: 'the subnet file names a subnet that nobody holds',
  also: [],
  repair: 'fix',
  inject: async ({ node }) => {
    await node.must(['sed', '-i', 's|^FLANNEL_SUBNET=.*|FLANNEL_SUBNET=10.244.251.1/24|', SUBNET_FILE]);
  },
  heal: async ({ node }) => {
    await node.must(['rm', '-f', '--', SUBNET_FILE]);
    await reprogram(node);
  },
});
