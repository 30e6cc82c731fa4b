import { clearRule, ruleToEtcd } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'etcd-unreachable',
  check: 'etcd-unreachable',
  title: "the node's connections to etcd are refused",
  also: [],
  repair: 'heal',
  requires: ['nft'],
  stores: ['etcd'],
  pairable: false,
  inject: ({ node }) => ruleToEtcd(node, 'filter', 'reject with tcp reset'),
  heal: ({ node }) => clearRule(node),
});
