import { type CoreV1Api, PatchStrategy, setHeaderOptions, type V1Node } from '@kubernetes/client-node';
import type { NodeStatusPatch } from './kube.ts';

/** The body of a strategic merge patch: conditions are merged by their type (Kubernetes API conventions). */
export function statusPatch({ resourceVersion, annotations = {}, condition }: NodeStatusPatch, prefix: string): object {
  const prefixed = Object.entries(annotations).map(([name, value]) => [`${prefix}${name}`, value]);
  const conditions = condition === undefined ? [] : [conditionOf(condition)];
  return {
    metadata: {
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(prefixed.length > 0 && { annotations: Object.fromEntries(prefixed) }),
    },
    ...(conditions.length > 0 && { status: { conditions } }),
  };
}

export function patchStatus(api: CoreV1Api, name: string, body: object): Promise<V1Node> {
  return api.patchNodeStatus({ name, body }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));
}

function conditionOf({ type, status, reason, message, at }: NonNullable<NodeStatusPatch['condition']>) {
  const time = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  return { type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime: time };
}
