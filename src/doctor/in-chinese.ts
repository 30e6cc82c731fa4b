import type { Evidence } from './check.ts';
import { SENTENCES } from './chinese-sentences.ts';
import type { Language } from './report.ts';

interface Pattern {
  readonly pattern: RegExp;
  readonly zh: string;
}

/** The sentences with most words of their own first: `{} does not exist` must not take what a longer one says better. */
const PATTERNS: readonly Pattern[] = SENTENCES.toSorted(([a], [b]) => wordsIn(b) - wordsIn(a)).map(([en, zh]) => ({
  pattern: new RegExp(`^${en.split('{}').map(RegExp.escape).join('(.+?)')}$`, 's'),
  zh,
}));

/** What a fact says of itself, in the language of the report. */
export function tellFact(sentence: string, language: Language): string {
  return language === 'zh' ? inChinese(sentence) : sentence;
}

/** A sentence of a check in the language of the report, which may end with what a fact said: `flannel 无法解析网络配置：it is not JSON`. */
export function tellQuoting(sentence: string, language: Language): string {
  return language === 'zh' ? sentence.split('：').map(inChinese).join('：') : sentence;
}

/** What was seen and what it should be; `what` and `source` name things and stay. */
export function tellEvidence(item: Evidence, language: Language): Evidence {
  const tell = (seen: Evidence['observed']) => (typeof seen === 'string' ? tellFact(seen, language) : seen);
  const expected = item.expected === undefined ? {} : { expected: tell(item.expected) };
  return { ...item, observed: tell(item.observed), ...expected };
}

/**
 * Facts speak English, the language of the errors they pass on; what stands in the placeholders of a sentence is told in Chinese
 * too where it is one. A sentence that is not known stays as it is.
 */
export function inChinese(sentence: string): string {
  return translate(sentence, 4);
}

/** Messages nest: a refusal in a list of endpoints in a fact that needed it. */
function translate(sentence: string, depth: number): string {
  if (depth === 0) return sentence;
  const endpoints = sentence.split(/; (?=etcd )/);
  if (endpoints.length > 1) return endpoints.map((one) => translate(one, depth - 1)).join('；');
  for (const { pattern, zh } of PATTERNS) {
    const match = pattern.exec(sentence);
    if (match !== null)
      return zh.replace(/\{(\d)\}/g, (_, at: string) => translate(match[Number(at)] ?? '', depth - 1));
  }
  const parts = sentence.split('; ');
  if (parts.length > 1) return parts.map((part) => translate(part, depth - 1)).join('；');
  return withSource(sentence, depth) ?? sentence;
}

/** `… (etcd http://10.0.0.1:2379 /coreos.com/network/config)`. */
function withSource(sentence: string, depth: number): string | undefined {
  const [, said = '', source] = /^(.+) \(([^()]+)\)$/s.exec(sentence) ?? [];
  const told = translate(said, depth - 1);
  return told === said ? undefined : `${told}（${source}）`;
}

function wordsIn(template: string): number {
  return template.replaceAll('{}', '').length;
}
