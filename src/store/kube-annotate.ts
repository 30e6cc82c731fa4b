import { AbsentError, ConflictError, UnavailableError } from '../errors.ts';
import type { KubeApi, KubeNode } from '../kube/kube.ts';
import { decodeNode, encodeAnnotations } from './node-lease.ts';
import type { Lease, LeaseAttributes } from './store.ts';

export interface Annotation {
  /** Name of the Node. */
  readonly name: string;
  readonly attributes: LeaseAttributes;
  /** What was published last; `null`: nothing yet. */
  readonly lease: Lease | null;
}

/** The kubelet writes the status every few seconds: a patch that met one is made again from what it left. */
const TRIES = 5;

/**
 * Publishes what peers need in the annotations of this host's Node, with the revision that was read compared; nothing is written when
 * it says so already.
 *
 * @throws {AbsentError} when the Node is not there or has no podCIDR; {ConflictError} when another agent publishes from this Node.
 */
export async function annotateNode(kube: KubeApi, { name, attributes, lease }: Annotation): Promise<Lease> {
  for (let left = TRIES; left > 0; left -= 1) {
    const node = await readOwnNode(kube, name);
    if (lease !== null) assertStillOurs(node, lease);
    const written = await tryPatch(kube, node, encodeAnnotations(overwritten(attributes, node)));
    if (written !== undefined) return leaseOf(written);
  }
  throw new ConflictError(`node ${name} changed ${TRIES} times while its annotations were written`);
}

/** What {@link annotateNode} would publish. @throws {AbsentError} when the Node is not there or has no podCIDR. */
export async function previewAnnotation(
  kube: KubeApi,
  { name, attributes }: Pick<Annotation, 'name' | 'attributes'>,
): Promise<Lease> {
  const node = await readOwnNode(kube, name);
  const flannelAnnotations = { ...node.flannelAnnotations, ...encodeAnnotations(overwritten(attributes, node)) };
  return leaseOf({ ...node, flannelAnnotations });
}

async function tryPatch(
  kube: KubeApi,
  node: KubeNode,
  annotations: Readonly<Record<string, string>>,
): Promise<KubeNode | undefined> {
  if (Object.entries(annotations).every(([key, value]) => node.flannelAnnotations[key] === value)) return node;
  try {
    return await kube.patchNodeStatus(node.name, { resourceVersion: node.resourceVersion, annotations });
  } catch (error) {
    if (error instanceof ConflictError) return undefined;
    throw error;
  }
}

async function readOwnNode(kube: KubeApi, name: string): Promise<KubeNode> {
  const node = await readIfThere(kube, name);
  if (node === undefined) {
    throw new AbsentError(`there is no node ${name}`, { hint: 'Let kubelet register it, or name it with NODE_NAME.' });
  }
  if (node.podCidr !== null) return node;
  throw new AbsentError(`node ${name} has no podCIDR`, {
    hint: 'Start kube-controller-manager with --allocate-node-cidrs and --cluster-cidr.',
  });
}

async function readIfThere(kube: KubeApi, name: string): Promise<KubeNode | undefined> {
  try {
    return await kube.readNode(name);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

function assertStillOurs(node: KubeNode, lease: Lease): void {
  const there = decodeNode(node);
  if (there?.kind !== 'lease') return;
  const { vtep, vtepV6 } = there.attributes;
  const ours = lease.attributes;
  if (vtep?.mac === ours.vtep?.mac && vtepV6?.mac === ours.vtepV6?.mac) return;
  throw new ConflictError(`another agent publishes from node ${node.name}: VTEP MAC ${vtep?.mac ?? vtepV6?.mac}`);
}

/** `public-ip-overwrite` is for the peers alone (flannel pkg/subnet/kube). */
function overwritten(attributes: LeaseAttributes, { flannelAnnotations }: KubeNode): LeaseAttributes {
  const ipv4 = flannelAnnotations['public-ip-overwrite'];
  const ipv6 = flannelAnnotations['public-ipv6-overwrite'];
  return {
    ...attributes,
    ...(ipv4 && attributes.publicIp !== null && { publicIp: ipv4 }),
    ...(ipv6 && attributes.publicIpv6 !== null && { publicIpv6: ipv6 }),
  };
}

function leaseOf(node: KubeNode): Lease {
  const lease = decodeNode(node);
  if (lease?.kind === 'lease') return lease;
  throw new UnavailableError('malformed', `the annotations of node ${node.name} do not say what was written`);
}
