import type { KubeNode } from '../kube/kube.ts';
import { parseCidr } from '../net/cidr.ts';
import { parseJson } from './go-json.ts';
import { backendDataOf, decodeLeaseValue } from './lease-value.ts';
import type { LeaseAttributes, LeaseRecord } from './store.ts';
import { canonicalPair, type SubnetPair } from './subnet-key.ts';
import { escapeText } from './untrusted-text.ts';

/**
 * The lease that flannel's peers see in a Node; `undefined` for a node that is invisible to them: without the annotation
 * `kube-subnet-manager: "true"` or without spec.podCIDR (flannel pkg/subnet/kube).
 */
export function decodeNode(node: KubeNode): LeaseRecord | undefined {
  if (node.flannelAnnotations['kube-subnet-manager'] !== 'true' || node.podCidr === null) return undefined;
  const base = {
    key: node.name,
    node: node.name,
    expiresAt: null,
    etcdLease: null,
    modRevision: node.resourceVersion,
  };
  const subnets = subnetsOf(node);
  const value = escapeText(JSON.stringify({ podCIDRs: node.podCidrs, ...node.flannelAnnotations }));
  if (subnets === undefined) {
    return { ...base, kind: 'malformed-key', value, reason: 'podCIDRs are no pair of networks' };
  }
  const attributes = decodeAnnotations(node.flannelAnnotations);
  if ('problem' in attributes) {
    const reason = `the annotations do not parse: ${attributes.problem}`;
    return { ...base, kind: 'unreadable-value', ...subnets, value, reason };
  }
  return { ...base, kind: 'lease', ...subnets, attributes: attributes.attributes };
}

/** The annotations, without their prefix, that flannel writes for these attributes. */
export function encodeAnnotations(attributes: LeaseAttributes): Readonly<Record<string, string>> {
  const v6Data = backendDataOf(attributes.vtepV6, attributes.backendV6Data);
  return {
    'kube-subnet-manager': 'true',
    'backend-type': attributes.backendType,
    'backend-data': JSON.stringify(backendDataOf(attributes.vtep, attributes.backendData) ?? null),
    ...(attributes.publicIp === null ? {} : { 'public-ip': attributes.publicIp }),
    ...(attributes.publicIpv6 === null
      ? {}
      : { 'public-ipv6': attributes.publicIpv6, 'backend-v6-data': JSON.stringify(v6Data ?? null) }),
  };
}

function subnetsOf(node: KubeNode): SubnetPair | undefined {
  const cidrs = node.podCidrs.length > 0 ? node.podCidrs : [node.podCidr ?? ''];
  const byFamily = new Map(cidrs.map((cidr) => [parseCidr(cidr)?.family, cidr]));
  if (cidrs.length > 2 || byFamily.size !== cidrs.length || byFamily.has(undefined)) return undefined;
  return canonicalPair({ subnet: byFamily.get(4) ?? null, ipv6Subnet: byFamily.get(6) ?? null });
}

/** The annotations say in single strings what an etcd value says in one document. */
function decodeAnnotations(annotations: Readonly<Record<string, string>>): ReturnType<typeof decodeLeaseValue> {
  const text = (name: string) => JSON.stringify(annotations[name] ?? '');
  const json = (name: string) => annotations[name] || 'null';
  const fields = [`"BackendType":${text('backend-type')}`];
  if (annotations['public-ip'] !== undefined) fields.push(`"PublicIP":${text('public-ip')}`);
  if (annotations['public-ipv6'] !== undefined) fields.push(`"PublicIPv6":${text('public-ipv6')}`);
  const data = [json('backend-data'), json('backend-v6-data')];
  if (!data.every(isJson)) return { problem: 'backend-data is not JSON' };
  return decodeLeaseValue(`{${fields.join(',')},"BackendData":${data[0]},"BackendV6Data":${data[1]}}`);
}

function isJson(text: string): boolean {
  return !('problem' in parseJson(text));
}
