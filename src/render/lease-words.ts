import type { Restored } from '../leases/restore.ts';

/** The words around leases. */
export interface LeaseWords {
  readonly none: (source: string) => string;
  readonly nothingToDelete: (total: number) => string;
  readonly toDelete: (count: number, total: number) => string;
  readonly toKeep: (count: number) => string;
  readonly overMax: (count: number, max: number) => string;
  readonly ask: (count: number) => string;
  readonly askRelease: (name: string, key: string) => string;
  readonly deleted: (count: number) => string;
  readonly untried: (count: number) => string;
  readonly backup: (path: string) => string;
  readonly putBack: string;
  readonly restored: Readonly<Record<Restored['result'], string>>;
  readonly restoredCount: (count: number) => string;
  readonly wouldRestore: (count: number) => string;
  readonly written: (count: number, path: string) => string;
  readonly changedWhileRead: string;
  readonly notMeasured: (count: number) => string;
  readonly selfUnknown: (problem: string) => string;
  readonly configUnknown: (problem: string) => string;
  readonly nodesUnknown: (problem: string) => string;
  readonly noSuchSubnet: (subnet: string) => string;
  readonly following: (problem: string) => string;
}

const en: LeaseWords = {
  none: (source) => `no leases in ${source}`,
  nothingToDelete: (total) => `Nothing is to be deleted: none of ${leases(total)} qualifies.`,
  toDelete: (count, total) => `To be deleted, ${count} of ${leases(total)}:`,
  toKeep: (count) => `Kept, but worth a look, ${count}:`,
  overMax: (count, max) => `${count} are more than --max ${max} allows.`,
  ask: (count) => `Delete ${leases(count)}?`,
  askRelease: (name, key) =>
    `Give back ${name} (${key})? A flanneld that runs here ends when its lease is gone, and its pods are cut off; a flannelctl up that runs here takes a subnet again.`,
  deleted: (count) => `Deleted ${leases(count)}.`,
  untried: (count) => `Not tried any more: ${leases(count)}.`,
  backup: (path) => `Backup: ${path}`,
  putBack: 'To put them back:',
  restored: {
    restored: 'put back',
    'would-restore': 'would be put back',
    present: 'is there',
    expired: 'not put back',
    refused: 'not put back',
    failed: 'failed',
    untried: 'not tried any more',
  },
  restoredCount: (count) => `Put back ${leases(count)}.`,
  wouldRestore: (count) => `Would put back ${leases(count)}; nothing was written.`,
  written: (count, path) => `${leases(count)} written to ${path}`,
  changedWhileRead: 'the leases changed while they were read; run it again for states that fit together',
  notMeasured: (count) =>
    `${leases(count)} are overdue; whether their owners are gone is measured by: flannelctl leases prune --dry-run`,
  selfUnknown: (problem) => `which lease is this host's is not known: ${problem}`,
  configUnknown: (problem) => `which leases are outside the network is not known: ${problem}`,
  nodesUnknown: (problem) => `Kubernetes cannot be asked: ${problem}`,
  noSuchSubnet: (subnet) => `no lease has the subnet ${subnet}`,
  following: (problem) => `cannot follow the datastore for the moment: ${problem}`,
};

const zh: LeaseWords = {
  none: (source) => `${source} 中没有租约`,
  nothingToDelete: (total) => `无可删除：${total} 个租约均不符合条件。`,
  toDelete: (count, total) => `将删除 ${total} 个租约中的 ${count} 个：`,
  toKeep: (count) => `保留但值得查看，${count} 个：`,
  overMax: (count, max) => `${count} 个超过了 --max ${max} 的上限。`,
  ask: (count) => `删除 ${count} 个租约？`,
  askRelease: (name, key) =>
    `交还 ${name}（${key}）？租约消失后，本机运行的 flanneld 会退出，其 Pod 将断网；本机运行的 flannelctl up 会重新取得子网。`,
  deleted: (count) => `已删除 ${count} 个租约。`,
  untried: (count) => `其余 ${count} 个租约未再尝试。`,
  backup: (path) => `备份：${path}`,
  putBack: '如需恢复：',
  restored: {
    restored: '已恢复',
    'would-restore': '将恢复',
    present: '仍然存在',
    expired: '未恢复',
    refused: '未恢复',
    failed: '失败',
    untried: '未再尝试',
  },
  restoredCount: (count) => `已恢复 ${count} 个租约。`,
  wouldRestore: (count) => `将恢复 ${count} 个租约；未写入任何内容。`,
  written: (count, path) => `已将 ${count} 个租约写入 ${path}`,
  changedWhileRead: '读取期间租约发生了变化；如需相互一致的状态，请再次运行',
  notMeasured: (count) => `${count} 个租约续约逾期；其节点是否已消失可用 flannelctl leases prune --dry-run 探测`,
  selfUnknown: (problem) => `无法判断哪个租约属于本机：${problem}`,
  configUnknown: (problem) => `无法判断哪些租约位于网络配置之外：${problem}`,
  nodesUnknown: (problem) => `无法查询 Kubernetes：${problem}`,
  noSuchSubnet: (subnet) => `没有租约使用子网 ${subnet}`,
  following: (problem) => `暂时无法跟踪数据存储：${problem}`,
};

export function leaseWords(language: 'en' | 'zh'): LeaseWords {
  return { en, zh }[language];
}

function leases(count: number): string {
  return `${count} ${count === 1 ? 'lease' : 'leases'}`;
}
