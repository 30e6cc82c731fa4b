import { ApiException, type CoreV1Api, type V1Node } from '@kubernetes/client-node';
import type { KubeNode } from './kube.ts';

const PAGE = 500;

/** Each page is reduced at once: a Node with its images is ten kilobytes, what we keep of it is a few hundred bytes. */
export async function listAllNodes(api: CoreV1Api, prefix: string) {
  try {
    return await listPages(api, prefix);
  } catch (error) {
    // the API server has dropped the revision that the next page belongs to
    if (error instanceof ApiException && error.code === 410) return listPages(api, prefix);
    throw error;
  }
}

async function listPages(api: CoreV1Api, prefix: string) {
  const nodes: KubeNode[] = [];
  let resourceVersion = '';
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page = await api.listNode({ limit: PAGE, ...(next === '' ? {} : { _continue: next }) });
    nodes.push(...page.items.map((node) => toKubeNode(node, prefix)));
    resourceVersion ||= page.metadata?.resourceVersion ?? '';
    next = page.metadata?._continue || undefined;
  }
  return { nodes, resourceVersion };
}

/** What is looked at of a Node, whether client-node has read it or we. */
interface NodeParts {
  readonly metadata?: Pick<NonNullable<V1Node['metadata']>, 'name' | 'resourceVersion' | 'annotations'> | undefined;
  readonly spec?: Pick<NonNullable<V1Node['spec']>, 'podCIDR' | 'podCIDRs'> | undefined;
  readonly status?: Pick<NonNullable<V1Node['status']>, 'addresses'> & { readonly conditions?: Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  /** Go writes a time that is not set as null. */
  readonly lastTransitionTime?: Date | null | undefined;
}

export function toKubeNode({ metadata, spec, status }: NodeParts, prefix: string): KubeNode {
  const annotations = Object.entries(metadata?.annotations ?? {});
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    podCidrs: spec?.podCIDRs ?? [],
    podCidr: spec?.podCIDR || null,
    flannelAnnotations: Object.fromEntries(
      annotations
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    ),
    addresses: (status?.addresses ?? []).map(({ type, address }) => ({ type, address })),
    ready: ready === undefined ? null : { status: ready.status, since: epochOf(ready.lastTransitionTime) },
  };
}

function epochOf(time: Date | null | undefined): number | null {
  const at = time?.getTime();
  return at === undefined || Number.isNaN(at) ? null : at;
}
