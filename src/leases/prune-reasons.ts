import type { Sentence } from '../probe/sentence.ts';
import type { JudgedLease } from './judged.ts';
import type { LeaseState } from './states.ts';

/** Why a lease is deleted, kept or refused. */
export interface Reason extends Sentence {
  /** Kebab-case, stable. */
  readonly code: string;
}

export function reason(code: string, en: string, zh: string): Reason {
  return { code, en, zh };
}

export const REASONS = {
  malformed: reason('malformed-key', "flannel's own parser refuses the key", 'flannel 自身的解析器拒绝该键'),
  malformedLeased: reason(
    'malformed-key-leased',
    "flannel's own parser refuses the key, but it has a TTL and goes by itself",
    'flannel 自身的解析器拒绝该键，但它带有 TTL，会自行消失',
  ),
  thisHost: reason(
    'this-host',
    'it is in use on this host; when it is its own: flannelctl leases release SUBNET',
    '本机正在使用该租约；若确为本机所有，请用 flannelctl leases release SUBNET 交还',
  ),
  reservation: reason(
    'reservation',
    'it is a reservation; name it with --subnet to delete it',
    '这是保留租约；如需删除，请用 --subnet 指明',
  ),
  namedReservation: reason(
    'named-reservation',
    'it is a reservation named by --subnet',
    '这是由 --subnet 指明的保留租约',
  ),
  unreadable: reason(
    'unreadable-value',
    'its value does not parse, so nobody can be asked whether it is in use',
    '其值无法解析，因此无法向节点探测是否仍在使用',
  ),
  forced: reason('forced', 'it is named by --subnet, with --force', '由 --subnet 指明，并带有 --force'),
} as const;

/** States that say nothing about an owner, and so never suffice: reasons to look. */
const TO_LOOK: Readonly<Partial<Record<LeaseState, Reason>>> = {
  'duplicate-ip': reason('duplicate-ip', 'another lease has the same public IP', '另一租约具有相同的公网 IP'),
  'duplicate-mac': reason('duplicate-mac', 'another lease has the same VTEP MAC', '另一租约具有相同的 VTEP MAC'),
  overlap: reason('overlap', 'its subnet overlaps that of another lease', '其子网与另一租约的子网重叠'),
  'outside-network': reason(
    'outside-network',
    'its subnet lies outside the network configuration',
    '其子网位于网络配置之外',
  ),
};

export function reasonsToLook({ states, record }: JudgedLease): readonly Reason[] {
  const found = states.flatMap((state) => TO_LOOK[state] ?? []);
  return record.kind === 'unreadable-value' ? [...found, REASONS.unreadable] : found;
}

/** `renewal is overdue: 12 s left, below the margin of 3600 s`. */
export function overdue(ttlSeconds: number, marginSeconds: number): Reason {
  return reason(
    'overdue',
    `its renewal is overdue: ${ttlSeconds} s left, below the margin of ${marginSeconds} s`,
    `续约已逾期：剩余 ${ttlSeconds} 秒，低于余量 ${marginSeconds} 秒`,
  );
}

export function timeLeft(ttlSeconds: number): Reason {
  return reason(
    'time-left',
    `it has ${ttlSeconds} s left and is named by --subnet`,
    `剩余 ${ttlSeconds} 秒，由 --subnet 指明`,
  );
}

export function ofSilence({ silence }: JudgedLease): readonly Reason[] {
  if (silence === undefined) return [];
  const code = { answers: 'owner-answers', silent: 'owner-silent', unknown: 'owner-unknown' }[silence.verdict];
  return [{ code, ...silence.because }];
}

export function nodeExists(node: string): Reason {
  return reason('node-exists', `the Kubernetes Node ${node} has its address`, `Kubernetes 节点 ${node} 使用其地址`);
}

export function nodesUnknown(detail: string): Reason {
  return reason(
    'nodes-unknown',
    `Kubernetes cannot be asked whether a Node has its address: ${detail}`,
    `无法向 Kubernetes 查询是否有节点使用其地址：${detail}`,
  );
}
