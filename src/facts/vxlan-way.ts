import { deviceName } from '../dataplane/device.ts';
import type { ActualOverlay } from '../dataplane/entry.ts';
import type { Family } from '../net/cidr.ts';
import type { VxlanWay } from '../probe/ask-owners.ts';
import { type LeaseOwner, overlayEnds } from '../probe/lease-owner.ts';

/** Asking through flannel.N of this host: only where the kernel holds what the lease says, so that the echo goes to its owner. */
export function kernelWay(actual: ActualOverlay): VxlanWay {
  const isProgrammed = programmedTest(actual);
  return { kind: 'kernel', obstacleTo: (owner, family) => (isProgrammed(owner, family) ? undefined : NOT_PROGRAMMED) };
}

const NOT_PROGRAMMED = {
  en: 'the kernel of this host does not have what its lease says, so an echo would not go through the tunnel to it',
  zh: '本机内核中没有与该租约一致的条目，探测报文不会经隧道到达它',
};

/** Whether route, neighbour and forwarding entry lead to the lease's own end of the tunnel, or directly to its public IP. */
function programmedTest(actual: ActualOverlay): (owner: LeaseOwner, family: Family) => boolean {
  const up = new Set(actual.links.filter(({ isUp }) => isUp).map(({ device }) => device));
  const routes = new Map(actual.routes.map((route) => [route.dst, route]));
  const neighbours = new Map(actual.neighbours.map(({ device, ip, mac }) => [`${device} ${ip}`, mac]));
  const fdb = new Set(actual.fdb.map(({ device, mac, dst }) => `${device} ${mac} ${dst}`));
  return (owner, family) => {
    const end = overlayEnds(owner).find((one) => one.family === family);
    const route = routes.get((family === 4 ? owner.subnet : owner.ipv6Subnet) ?? '');
    if (end === undefined || route === undefined || route.type !== undefined) return false;
    const device = deviceName(family, end.vni);
    if (route.device !== device) return route.via === end.publicIp;
    const isKnown = neighbours.get(`${device} ${end.overlayIp}`) === end.mac;
    return up.has(device) && isKnown && fdb.has(`${device} ${end.mac} ${end.publicIp}`);
  };
}
