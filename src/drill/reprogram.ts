import type { DrillNode } from './fault.ts';

/** What vxlan adds over IPv4 (RFC 7348 §5). */
const OVERHEAD_BYTES = 50;

/** Starts the stand-in for flanneld again: it programs everything that is missing or wrong. */
export async function reprogram(node: DrillNode): Promise<void> {
  await node.stopFlanneld();
  await node.startFlanneld();
}

/** Makes flannel's device anew, with the MAC that the lease publishes, whatever is there now; then everything on it. */
export async function remakeLink(node: DrillNode): Promise<void> {
  await node.stopFlanneld();
  await addLink(node, {});
  await node.startFlanneld();
}

/** Puts a device in the place of flannel's that differs from it as told, and is up without any entry. */
export async function addLink(
  node: DrillNode,
  { port = 8472, mac = node.vtepMac }: { readonly port?: number; readonly mac?: string },
): Promise<void> {
  const { device, underlayDevice, publicIp } = node;
  const underlayMtu = Number(await node.must(['cat', `/sys/class/net/${underlayDevice}/mtu`]));
  // Fails where the device is gone already, which is what is wanted.
  await node.exec(['ip', 'link', 'del', 'dev', device]);
  const vni = device.slice(device.lastIndexOf('.') + 1);
  await node.must([
    ...(['ip', 'link', 'add', 'dev', device, 'address', mac, 'mtu', String(underlayMtu - OVERHEAD_BYTES)] as const),
    ...['type', 'vxlan', 'id', vni, 'dev', underlayDevice, 'local', publicIp, 'dstport', String(port), 'nolearning'],
  ]);
  await node.must(['ip', 'link', 'set', 'dev', device, 'up']);
}

/** The address of flannel's device, and a peer's on the overlay: the first of its subnet. */
export function overlayIp({ subnet }: Pick<DrillNode, 'subnet'>): string {
  return subnet.slice(0, subnet.indexOf('/'));
}

/** @throws {TypeError} where the node is alone. */
export function firstPeer(peers: readonly DrillNode[]): DrillNode {
  const [peer] = peers;
  if (peer === undefined) throw new TypeError('this fault needs a peer');
  return peer;
}

/** Another one than {@link firstPeer} where there are two: what is wrong there and what is missing here are faults of their own. */
export function lastPeer(peers: readonly DrillNode[]): DrillNode {
  return firstPeer(peers.toReversed());
}
