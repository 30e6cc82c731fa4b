import { clearRule, ruleToEtcd } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'etcd-unreachable-silent',
  check: 'etcd-unreachable',
  title: 'what the node sends to etcd is dropped, so that nobody answers',
  also: [],
  repair: 'heal',
  requires: ['nft'],
  stores: ['etcd'],
  pairable: false,
  inject: ({ node }) => ruleToEtcd(node, 'filter', 'drop'),
  heal: ({ node }) => clearRule(node),
});
