import { defineFault } from '../fault.ts';

const NOBODYS = '10.244.255.0';

export default defineFault({
  name: 'arp-stale-nobody',
  check: 'arp-stale',
  title: 'a neighbour entry for an address that no peer has is added',
  also: [],
  repair: 'fix',
  pairable: false,
  inject: async ({ node }) => {
    await node.must([
      'ip',
      'neigh',
      'replace',
      NOBODYS,
      'lladdr',
      '02:00:5e:00:53:04',
      'dev',
      node.device,
      'nud',
      'permanent',
    ]);
  },
  heal: async ({ node }) => {
    await node.exec(['ip', 'neigh', 'del', NOBODYS, 'dev', node.device]);
  },
});
