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
  /** Commands that are not shown, without which those that are do not suffice. */
  readonly moreCommands: (count: number) => string;
  readonly noFlannel: string;
  readonly healthy: string;
  readonly interrupted: string;
  readonly undetermined: string;
  /** Above what could not be looked at, where the verdict does not hang on it. */
  readonly notLookedAt: string;
  readonly needsRoot: string;
  readonly subnet: (subnet: string) => string;
  /** Joins an interface to the tunnel that runs over it. */
  readonly over: (underlay: string) => string;
  readonly risk: string;
  readonly willDo: string;
  readonly wouldDo: string;
  readonly doThis: string;
  readonly nothingToRepair: string;
  readonly andOthers: (count: number) => string;
  readonly noLogMatch: string;
  readonly logLines: (count: number) => string;
  readonly logLine: (line: number) => string;
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
  moreCommands: (count) => `… and ${count} more, without which this is not done (-o json has all)`,
  noFlannel: 'Neither flannel nor traces of it are on this host.',
  healthy: 'Everything that was looked at is in order.',
  interrupted: 'Interrupted: only what was found so far is told.',
  undetermined: 'Not known whether this node is healthy:',
  notLookedAt: 'Could not be looked at:',
  needsRoot: 'Some of it only root may see: run it with sudo.',
  subnet: (subnet) => `subnet ${subnet}`,
  over: (underlay) => ` on ${underlay}`,
  risk: 'Risk:',
  willDo: 'This is going to be done:',
  wouldDo: 'This would be done:',
  doThis: 'Do this?',
  nothingToRepair: 'Nothing of this can be repaired by a tool: the report says what to do by hand.',
  andOthers: (count) => `and ${count} more`,
  noLogMatch: 'No line speaks of a failure mode that flannelctl knows.',
  logLines: (count) => `${count} ${count === 1 ? 'line' : 'lines'}`,
  logLine: (line) => `line ${line}:`,
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
  moreCommands: (count) => `……另有 ${count} 条命令，缺少它们修复不完整（-o json 可见全部）`,
  noFlannel: '本主机上没有 flannel，也没有它的痕迹。',
  healthy: '所检查的各项均正常。',
  interrupted: '已中断：只报告目前为止的发现。',
  undetermined: '无法判断本节点是否正常：',
  notLookedAt: '无法查看：',
  needsRoot: '其中一部分只有 root 才能查看：请用 sudo 运行。',
  subnet: (subnet) => `子网 ${subnet}`,
  over: (underlay) => `，经 ${underlay}`,
  risk: '风险：',
  willDo: '将要执行：',
  wouldDo: '若执行修复，将会：',
  doThis: '执行吗？',
  nothingToRepair: '这些问题都不能由工具修复：手工处理办法见报告。',
  andOthers: (count) => `等另外 ${count} 项`,
  noLogMatch: '没有日志行提到 flannelctl 已知的故障模式。',
  logLines: (count) => `${count} 行`,
  logLine: (line) => `第 ${line} 行：`,
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
