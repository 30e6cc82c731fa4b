import { defineFault } from '../fault.ts';
import { firstPeer } from '../reprogram.ts';

const NOBODYS = '02:00:5e:00:53:02';

export default defineFault({
  name: 'fdb-stale-nobody',
  check: 'fdb-stale',
  title: 'a forwarding entry for a MAC that no peer publishes is added',
  also: [],
  repair: 'fix',
  pairable: false,
  inject: async ({ node, peers }) => {
    await node.must([
      'bridge',
      'fdb',
      'replace',
      NOBODYS,
      'dev',
      node.device,
      'dst',
      firstPeer(peers).publicIp,
      'self',
      'permanent',
    ]);
  },
  heal: async ({ node, peers }) => {
    await node.exec(['bridge', 'fdb', 'del', NOBODYS, 'dev', node.device, 'dst', firstPeer(peers).publicIp, 'self']);
  },
});
