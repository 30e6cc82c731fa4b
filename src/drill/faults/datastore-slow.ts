import { clearRule, ETCD_PORT, ruleToEtcd, serveThere, stopThere } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { NODE_BIN, SWITCH_IP } from '../layout.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'datastore-slow',
  check: 'datastore-slow',
  title: 'etcd is 160 milliseconds away from the node',
  also: [],
  repair: 'heal',
  requires: ['nft'],
  stores: ['etcd'],
  pairable: false,
  inject: async ({ node, peers }) => {
    const peer = firstPeer(peers);
    const there = `${peer.publicIp}:${ETCD_PORT}`;
    const relay = [`${NODE_BIN}/flannelctl`, 'drill', 'relay', '--from', there, '--to', `${SWITCH_IP}:${ETCD_PORT}`];
    await serveThere(peer, ETCD_PORT, [...relay, '--delay', '80ms']);
    await ruleToEtcd(node, 'nat', `dnat to ${there}`);
  },
  heal: async ({ node, peers }) => {
    await clearRule(node);
    await stopThere(firstPeer(peers));
  },
});
