import { defineFault } from '../fault.ts';
import { SUBNET_FILE } from '../layout.ts';
import { firstPeer, reprogram } from '../reprogram.ts';

export default defineFault({
  name: 'subnet-env-stale-copied',
  check: 'subnet-env-stale',
  title: "the subnet file is a copy of a peer's",
  also: ['lease-duplicate-subnet'],
  repair: 'fix',
  pairable: false,
  inject: async ({ node, peers }) => {
    await node.writeFile(SUBNET_FILE, await firstPeer(peers).readFile(SUBNET_FILE));
  },
  heal: async ({ node }) => {
    await node.must(['rm', '-f', '--', SUBNET_FILE]);
    await reprogram(node);
  },
});
