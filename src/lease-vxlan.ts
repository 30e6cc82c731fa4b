import { randomInt } from 'node:crypto';
import { DEFAULT_PORT, deviceName } from './dataplane/device.ts';
import type { ActualOverlay } from './dataplane/entry.ts';
import { observeOverlay } from './dataplane/observe.ts';
import { flannelFact } from './facts/flannel.ts';
import type { KnownScene } from './lease-scene.ts';
import type { LeaseSession } from './lease-session.ts';
import { overlayEnds, type VxlanWay } from './leases/ask-owners.ts';
import type { Sentence } from './leases/sentence.ts';
import type { Family } from './net/cidr.ts';
import type { Lease } from './store/store.ts';

/**
 * How owners can be asked over vxlan from here: through flannel.N where there is one, else as the end of the tunnel that this host's own
 * lease publishes. Never the latter beside a flanneld: it could not open its device while the port is ours.
 */
export async function vxlanWay(
  { world, facts }: LeaseSession,
  { config }: KnownScene,
  own: Lease | undefined,
): Promise<VxlanWay> {
  const actual = await observeOverlay(world.host);
  if (actual.links.length > 0) {
    const programmed = programmedTest(actual);
    return { kind: 'kernel', obstacleTo: (lease, family) => (programmed(lease, family) ? undefined : NOT_PROGRAMMED) };
  }
  const [end] = own === undefined ? [] : overlayEnds(own);
  if (end?.family !== 4) return { kind: 'none', because: NO_WAY };
  const flannel = await facts.observe(flannelFact);
  // Unless it is certain that no flanneld runs here the port is not taken away from it.
  if (flannel.status !== 'known' || flannel.value.process !== null) return { kind: 'none', because: NO_WAY };
  const port = (config?.backend.type === 'vxlan' ? config.backend.port : null) ?? DEFAULT_PORT;
  return { kind: 'user-space', source: end, port, identifier: randomInt(0x1_0000) };
}

const NO_WAY: Sentence = {
  en: 'this host has neither flannel.N nor a lease of its own, so it cannot ask over vxlan; run it on a node of the overlay',
  zh: '本机既没有 flannel.N 也没有自己的租约，无法经 vxlan 探测；请在覆盖网络的节点上运行',
};
const NOT_PROGRAMMED: Sentence = {
  en: 'the kernel of this host does not have what its lease says, so an echo would not go through the tunnel to it',
  zh: '本机内核中没有与该租约一致的条目，探测报文不会经隧道到达它',
};

/** Whether route, neighbour and forwarding entry lead to the lease's own end of the tunnel, or directly to its public IP. */
function programmedTest(actual: ActualOverlay): (lease: Lease, family: Family) => boolean {
  const up = new Set(actual.links.filter(({ isUp }) => isUp).map(({ device }) => device));
  const routes = new Map(actual.routes.map((route) => [route.dst, route]));
  const neighbours = new Map(actual.neighbours.map(({ device, ip, mac }) => [`${device} ${ip}`, mac]));
  const fdb = new Set(actual.fdb.map(({ device, mac, dst }) => `${device} ${mac} ${dst}`));
  return (lease, family) => {
    const end = overlayEnds(lease).find((one) => one.family === family);
    const route = routes.get((family === 4 ? lease.subnet : lease.ipv6Subnet) ?? '');
    if (end === undefined || route === undefined || route.type !== undefined) return false;
    const device = deviceName(family, end.vni);
    if (route.device !== device) return route.via === end.publicIp;
    const isKnown = neighbours.get(`${device} ${end.overlayIp}`) === end.mac;
    return up.has(device) && isKnown && fdb.has(`${device} ${end.mac} ${end.publicIp}`);
  };
}
