import { clearRule, ETCD_PORT, ruleToEtcd, serveThere, stopThere } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';
import { firstPeer } from '../reprogram.ts';

export default defineFault({
  name: 'etcd-tls',
  check: 'etcd-tls',
  title: 'etcd speaks TLS from now on, and the node goes on asking by http',
  also: [],
  repair: 'heal',
  requires: ['nft', 'etcd'],
  stores: ['etcd'],
  pairable: false,
  inject: async ({ node, peers }) => {
    const peer = firstPeer(peers);
    const url = `https://${peer.publicIp}:${ETCD_PORT}`;
    const urls = [
      '--listen-client-urls',
      url,
      '--advertise-client-urls',
      url,
      '--listen-peer-urls',
      'http://127.0.0.1:2380',
    ];
    await serveThere(peer, ETCD_PORT, ['etcd', '--auto-tls', '--data-dir', '/run/flannelctl-drill.pid.data', ...urls]);
    await ruleToEtcd(node, 'nat', `dnat to ${peer.publicIp}:${ETCD_PORT}`);
  },
  heal: async ({ node, peers }) => {
    await clearRule(node);
    await stopThere(firstPeer(peers));
  },
});
