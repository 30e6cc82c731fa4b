/** A Node as the API serves it; only what flannel and its tools read. */
export interface NodeObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly podCIDR?: string; readonly podCIDRs?: readonly string[] };
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly conditions: readonly Readonly<Record<string, string>>[];
  };
}

export interface NodeOptions {
  readonly podCidrs?: readonly string[];
  /** Written as podCIDR; default: the first of podCidrs. `''`: none. */
  readonly podCidr?: string;
  /** With their prefix. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly addresses?: NodeObject['status']['addresses'];
}

export function makeNode(name: string, options: NodeOptions = {}): NodeObject {
  const { podCidrs = [], podCidr = podCidrs[0] ?? '', annotations = {}, addresses = [] } = options;
  return {
    metadata: { name, resourceVersion: '1', annotations },
    spec: {
      ...(podCidr === '' ? {} : { podCIDR: podCidr }),
      ...(podCidrs.length === 0 ? {} : { podCIDRs: podCidrs }),
    },
    status: {
      addresses,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    },
  };
}

/** Annotations as flannel writes them for vxlan, with the default prefix. */
export function flannelAnnotations(publicIp: string, mac: string, vni = 1): Record<string, string> {
  const prefix = 'flannel.alpha.coreos.com';
  return {
    [`${prefix}/kube-subnet-manager`]: 'true',
    [`${prefix}/backend-type`]: 'vxlan',
    [`${prefix}/backend-data`]: JSON.stringify({ VNI: vni, VtepMAC: mac }),
    [`${prefix}/public-ip`]: publicIp,
  };
}

/** RFC 7386: what a merge patch does; strategic merge is the same for the maps that flannel patches. Lists of conditions merge by `type`. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && Array.isArray(target) && patch.every(hasType)) return mergeByType(target, patch);
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

function mergeByType(target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const typeOf = (item: unknown) => (isRecord(item) ? item['type'] : undefined);
  const kept = target.filter((item) => !patch.some((next) => typeOf(next) === typeOf(item)));
  const old = (next: unknown) => target.find((item) => typeOf(item) === typeOf(next));
  return [...kept, ...patch.map((next) => mergePatch(old(next), next))];
}

function hasType(item: unknown): boolean {
  return isRecord(item) && typeof item['type'] === 'string';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
