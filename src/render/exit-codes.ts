import type { ExitCode } from '../errors.ts';

type Meanings = Readonly<Record<ExitCode, { readonly en: string; readonly zh: string }>>;

/** What every command ends with, in every output format. */
const MEANINGS: Meanings = {
  0: { en: 'healthy; done; nothing to do', zh: '正常；已完成；无事可做' },
  1: { en: 'problems were found, or something was not in order', zh: '发现问题，或状态不符' },
  2: { en: 'undetermined: what matters could not be looked at', zh: '无法判断：关键信息看不到' },
  3: { en: 'not applicable: no flannel on this host', zh: '不适用：本机没有 flannel' },
  64: {
    en: 'wrong usage: a flag, an argument, an unknown id, or nobody to confirm',
    zh: '用法错误：参数、未知的 id，或无人确认',
  },
  65: { en: 'bad input: a file that is not what it should be', zh: '输入有误：文件内容不对' },
  69: { en: 'the datastore cannot be reached, and the command needs it', zh: '数据存储不可达，而该命令需要它' },
  70: { en: 'a bug in flannelctl; --debug shows the stack', zh: 'flannelctl 自身的错误；用 --debug 查看堆栈' },
  73: { en: 'an output file cannot be written; nothing was changed', zh: '输出文件无法写入；未做任何更改' },
  75: { en: 'try again: a lock is held, or the state changed meanwhile', zh: '请重试：锁被占用，或状态已变化' },
  77: { en: 'no permission, and nothing useful can be done without it', zh: '没有权限，无法继续' },
  130: { en: 'interrupted (SIGINT); what was found so far is reported', zh: '被中断（SIGINT）；已报告目前的结果' },
  143: { en: 'terminated (SIGTERM); what was found so far is reported', zh: '被终止（SIGTERM）；已报告目前的结果' },
};

/** One line a code. */
export function renderExitCodes(language: 'en' | 'zh'): string {
  return Object.entries(MEANINGS)
    .map(([code, meaning]) => `${code.padStart(4)}  ${meaning[language]}`)
    .join('\n');
}
