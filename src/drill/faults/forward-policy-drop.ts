import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'forward-policy-drop',
  check: 'forward-policy-drop',
  title: 'the policy of FORWARD is DROP, as Docker leaves it, and no rule lets pods through',
  also: [],
  repair: 'heal',
  requires: ['iptables'],
  inject: async ({ node }) => {
    await node.must(['iptables', '-P', 'FORWARD', 'DROP']);
  },
  heal: async ({ node }) => {
    await node.must(['iptables', '-P', 'FORWARD', 'ACCEPT']);
  },
});
