import { randomInt } from 'node:crypto';
import { DEFAULT_PORT } from './dataplane/device.ts';
import { observeOverlay } from './dataplane/observe.ts';
import { flannelStartFact } from './facts/flannel.ts';
import { kernelWay } from './facts/vxlan-way.ts';
import type { KnownScene } from './lease-scene.ts';
import type { LeaseSession } from './lease-session.ts';
import type { VxlanWay } from './probe/ask-owners.ts';
import { overlayEnds } from './probe/lease-owner.ts';
import type { Sentence } from './probe/sentence.ts';
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
  if (actual.links.length > 0) return kernelWay(actual);
  const [end] = own === undefined ? [] : overlayEnds(own);
  if (end?.family !== 4) return { kind: 'none', because: NO_WAY };
  const flannel = await facts.observe(flannelStartFact);
  // Unless it is certain that no flanneld runs here the port is not taken away from it.
  if (flannel.status !== 'known' || flannel.value.process !== null) return { kind: 'none', because: NO_WAY };
  const port = (config?.backend.type === 'vxlan' ? config.backend.port : null) ?? DEFAULT_PORT;
  return { kind: 'user-space', source: end, port, identifier: randomInt(0x1_0000) };
}

const NO_WAY: Sentence = {
  en: 'this host has neither flannel.N nor a lease of its own, so it cannot ask over vxlan; run it on a node of the overlay',
  zh: '本机既没有 flannel.N 也没有自己的租约，无法经 vxlan 探测；请在覆盖网络的节点上运行',
};
