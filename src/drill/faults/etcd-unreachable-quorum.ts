import { clearRule, ETCD_PORT, etcdctlAt, ruleToEtcd, serveThere, stopThere } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'etcd-unreachable-quorum',
  check: 'etcd-unreachable',
  title: 'the node is led to a member of etcd that takes connections and has lost its quorum',
  also: [],
  repair: 'heal',
  requires: ['nft', 'etcd'],
  stores: ['etcd'],
  pairable: false,
  inject: async ({ node, peers }) => {
    const peer = firstPeer(peers);
    const url = `http://${peer.publicIp}:${ETCD_PORT}`;
    const urls = [
      '--listen-client-urls',
      url,
      '--advertise-client-urls',
      url,
      '--listen-peer-urls',
      'http://127.0.0.1:2380',
    ];
    await serveThere(peer, ETCD_PORT, ['etcd', '--data-dir', '/run/flannelctl-drill.pid.data', ...urls]);
    // A second member that never comes: from then on two are needed, and one runs.
    await peer.must(etcdctlAt(url, 'member', 'add', 'absent', '--peer-urls=http://127.0.0.1:1'));
    await peer.must(['sleep', '3']);
    await ruleToEtcd(node, 'nat', `dnat to ${peer.publicIp}:${ETCD_PORT}`);
  },
  heal: async ({ node, peers }) => {
    await clearRule(node);
    await stopThere(firstPeer(peers));
  },
});
