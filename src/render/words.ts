import type { Language } from '../doctor/report.ts';

/** The words around the findings, apart from the sentences of the checks. */
export interface Words {
  readonly rootCause: string;
  readonly because: string;
  readonly fixHere: string;
  readonly fixByTool: string;
  readonly next: string;
  readonly more: string;
  readonly expected: string;
  readonly andMore: (count: number) => string;
  readonly noFlannel: string;
  readonly healthy: string;
  readonly interrupted: string;
  readonly undetermined: string;
  readonly peers: (count: number) => string;
  readonly failedOf: (failed: number, total: number) => string;
  readonly unknownCount: (count: number) => string;
  readonly notApplicableCount: (count: number) => string;
  readonly tally: (counts: {
    roots: number;
    consequences: number;
    passed: number;
    unknown: number;
    notApplicable: number;
  }) => string;
  readonly suppressed: string;
  readonly fixed: string;
  readonly notFixed: string;
}

const en: Words = {
  rootCause: 'ROOT CAUSE',
  because: 'Because of this:',
  fixHere: 'Fix, on this node:',
  fixByTool: 'Or let it be done: sudo flannelctl doctor --fix',
  next: 'Then:',
  more: 'More:',
  expected: 'expected',
  andMore: (count) => `… and ${count} more (-o json has all)`,
  noFlannel: 'Neither flannel nor traces of it are on this host.',
  healthy: 'Everything that was looked at is in order.',
  interrupted: 'Interrupted: only what was found so far is told.',
  undetermined: 'Not known whether this node is healthy:',
  peers: (count) => `${count} ${count === 1 ? 'peer' : 'peers'}`,
  failedOf: (failed, total) => `${failed} of ${total} failed`,
  unknownCount: (count) => `${count} unknown`,
  notApplicableCount: (count) => `${count} not applicable`,
  tally: ({ roots, consequences, passed, unknown, notApplicable }) =>
    [
      `${roots} root ${roots === 1 ? 'cause' : 'causes'}`,
      `${consequences} ${consequences === 1 ? 'consequence' : 'consequences'}`,
      `${passed} passed`,
      ...(unknown > 0 ? [`${unknown} unknown`] : []),
      `${notApplicable} not applicable`,
    ].join(', '),
  suppressed: 'suppressed',
  fixed: 'Repaired:',
  notFixed: 'Not repaired:',
};

const zh: Words = {
  rootCause: '根因',
  because: '由此引起：',
  fixHere: '在本节点上修复：',
  fixByTool: '或由工具修复：sudo flannelctl doctor --fix',
  next: '然后：',
  more: '详情：',
  expected: '应为',
  andMore: (count) => `……另有 ${count} 项（-o json 可见全部）`,
  noFlannel: '本主机上没有 flannel，也没有它的痕迹。',
  healthy: '所检查的各项均正常。',
  interrupted: '已中断：只报告目前为止的发现。',
  undetermined: '无法判断本节点是否正常：',
  peers: (count) => `${count} 个对端节点`,
  failedOf: (failed, total) => `${total} 项中 ${failed} 项失败`,
  unknownCount: (count) => `${count} 项无法判断`,
  notApplicableCount: (count) => `${count} 项不适用`,
  tally: ({ roots, consequences, passed, unknown, notApplicable }) =>
    [
      `${roots} 个根因`,
      `${consequences} 个连带后果`,
      `${passed} 项通过`,
      ...(unknown > 0 ? [`${unknown} 项无法判断`] : []),
      `${notApplicable} 项不适用`,
    ].join('，'),
  suppressed: '已抑制',
  fixed: '已修复：',
  notFixed: '未能修复：',
};

export function wordsOf(language: Language): Words {
  switch (language) {
    case 'en':
      return en;
    case 'zh':
      return zh;
  }
}
