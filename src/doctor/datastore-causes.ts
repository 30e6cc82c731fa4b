import type { Edge, Finding, Text } from './check.ts';
import { NO_DATASTORE } from './no-datastore.ts';

/** An edge for a check that reads the datastore: the cause explains that it could not be read, and no finding. */
function hides(id: string, because: Text, holds: (detail: string, cause: Finding) => boolean): Edge {
  return {
    id,
    because: () => undefined,
    whenUnknown: (cause, detail) => (holds(detail, cause) ? because : undefined),
  };
}

/** Every failure of the etcd adapter begins so and names the endpoint. */
const isOfEtcd = (detail: string) => detail.startsWith('etcd ');
const isOfConfig = (detail: string, { evidence }: Finding) => evidence.some(({ source }) => detail.includes(source));

/** Why nothing came back from the datastore; each in the list may be the cause of all after it. */
const NO_ANSWER: readonly Edge[] = [
  NO_DATASTORE,
  hides('etcd-unreachable', { en: 'no endpoint of etcd answers', zh: '没有任何 etcd 端点应答' }, isOfEtcd),
  hides('etcd-tls', { en: 'TLS to etcd does not work', zh: '与 etcd 之间的 TLS 不通' }, isOfEtcd),
  hides('etcd-auth-denied', { en: 'etcd does not let us read', zh: 'etcd 不允许读取' }, isOfEtcd),
  hides(
    'datastore-slow',
    { en: 'etcd takes too long for an answer', zh: 'etcd 应答过慢' },
    (detail) => isOfEtcd(detail) && /did not answer|deadline exceeded/.test(detail),
  ),
];

/** What keeps flannel, and us, from using the configuration that is stored. */
const NO_CONFIG: readonly Edge[] = [
  hides('etcd-config-missing', { en: 'there is no network configuration', zh: '没有网络配置' }, (detail) =>
    detail.includes('no network configuration'),
  ),
  hides('netconf-malformed', { en: 'the network configuration does not parse', zh: '网络配置无法解析' }, isOfConfig),
  hides(
    'netconf-range-invalid',
    { en: 'the ranges of the network configuration are refused', zh: '网络配置的网段范围被拒绝' },
    isOfConfig,
  ),
];

/** For every check that reads leases or the network configuration, itself or through other facts. */
export const DATASTORE_CAUSES: readonly Edge[] = [...NO_ANSWER, ...NO_CONFIG];

/** For a check that is a cause in one of these lists itself: the edges from those before it. */
export function causesBefore(id: string): readonly Edge[] {
  const at = DATASTORE_CAUSES.findIndex((edge) => edge.id === id);
  return DATASTORE_CAUSES.slice(0, at === -1 ? NO_ANSWER.length : at);
}

/** What flannel waits for, or ends over, before it makes a device and writes its file (flannel main.go). */
const KEEPS_FROM_STARTING = [
  'etcd-unreachable',
  'etcd-tls',
  'etcd-auth-denied',
  'etcd-config-missing',
  'netconf-malformed',
  'netconf-range-invalid',
] as const;

/** For a check of what flannel makes at its start: edges that hold only where it has not come that far since the boot. */
export function startCauses<V>(isFirstStart: (own: Finding<V>) => boolean): readonly Edge<V>[] {
  const because = {
    en: 'flannel does not get its network configuration, and has not come further since the boot',
    zh: 'flannel 得不到网络配置，启动以来没有进行到这一步',
  };
  return KEEPS_FROM_STARTING.map((id) => ({ id, because: (_cause, own) => (isFirstStart(own) ? because : undefined) }));
}
