import { shellWord } from '../shell-word.ts';
import { KNOWN_MODULES, type Option, parseOption } from './iptables-match.ts';
import { wordsOf } from './iptables-words.ts';
import { printable } from './quote.ts';
import type { Condition, Effect, Rule, Verdict } from './ruleset.ts';

/** A rule line of iptables-save: `[3:210] -A INPUT -p udp -j DROP`. */
export interface RuleLine {
  readonly program: string;
  readonly table: string;
  readonly line: string;
}

const LINE = /^(?:\[(\d+):\d+\] )?(-A (\S+).*)$/;

/** The rule and the chain it is in; `undefined` for what is no rule line. */
export function parseRuleLine({ program, table, line }: RuleLine): { chain: string; rule: Rule } | undefined {
  const [, packets, text = '', chain = ''] = LINE.exec(line) ?? [];
  const words = wordsOf(text);
  if (chain === '' || words === undefined) return undefined;
  const { options, target } = splitWords(words.slice(2));
  const rule = {
    label: `${program} rule -t ${table} ${printable(text)}`,
    text: printable(text),
    deleteCommand: [program, '-t', table, '-D', ...words.slice(1)].map(shellWord).join(' '),
    packets: packets === undefined ? null : Number(packets),
    conditions: options.flatMap(conditionsOf),
    effects: effectsOf(target),
    verdict: verdictOf(target),
  };
  return { chain, rule };
}

/** `-j MARK --set-mark 1`: the target and its own options. */
interface Target {
  readonly name: string;
  readonly isGoto: boolean;
  readonly words: readonly string[];
}

function splitWords(words: readonly string[]): { options: readonly Option[]; target: Target | undefined } {
  const options: Option[] = [];
  let module = '';
  let isNegated = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '-j' || word === '-g') {
      const target = { name: words[index + 1] ?? '', isGoto: word === '-g', words: words.slice(index + 2) };
      return { options, target };
    }
    if (word === '!') isNegated = true;
    else {
      const values = valuesAfter(words, index);
      if (word === '-m') module = values[0] ?? '';
      const owner = PLAIN_OPTIONS.has(word) || word === '-m' ? '' : module;
      options.push({ name: word, values, isNegated, module: owner });
      isNegated = false;
      index += values.length;
    }
  }
  return { options, target: undefined };
}

const PLAIN_OPTIONS: ReadonlySet<string> = new Set(['-p', '-s', '-d', '-i', '-o', '-f']);

/** A value never begins with a dash, except that of `--comment`, which is one word whatever it is. */
function valuesAfter(words: readonly string[], index: number): readonly string[] {
  if (words[index] === '--comment') return words.slice(index + 1, index + 2);
  const rest = words.slice(index + 1);
  const end = rest.findIndex((word) => word === '!' || word.startsWith('-'));
  return end === -1 ? rest : rest.slice(0, end);
}

function conditionsOf(option: Option): readonly Condition[] {
  if (option.name === '-m') {
    const module = option.values[0] ?? '';
    return KNOWN_MODULES.has(module) ? [] : [{ kind: 'undecided', what: `-m ${module}` }];
  }
  // The extension as a whole is undecided already.
  if (option.module !== '' && !KNOWN_MODULES.has(option.module)) return [];
  const condition = parseOption(option);
  return condition === undefined ? [] : [condition];
}

function verdictOf(target: Target | undefined): Verdict {
  if (target === undefined || SILENT.has(target.name)) return { kind: 'none' };
  switch (target.name) {
    case 'ACCEPT':
    case 'MASQUERADE':
    case 'SNAT':
      return { kind: 'accept' };
    case 'DROP':
    case 'REJECT':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
  }
  return UNDECIDED.has(target.name)
    ? { kind: 'undecided', what: `-j ${target.name}` }
    : { kind: 'jump', target: target.name, isGoto: target.isGoto };
}

/** Targets after which the next rule is looked at. */
const SILENT: ReadonlySet<string> = new Set([
  ...['LOG', 'NFLOG', 'ULOG', 'AUDIT', 'TRACE', 'MARK', 'CONNMARK', 'CONNSECMARK', 'SECMARK', 'CT', 'NOTRACK'],
  ...['TCPMSS', 'TCPOPTSTRIP', 'CHECKSUM', 'CLASSIFY', 'DSCP', 'TOS', 'TTL', 'HL', 'ECN', 'IDLETIMER', 'LED'],
  ...['RATEEST', 'SET', 'TEE', 'HMARK'],
]);

/** Targets that decide outside the rules, or about which only their kernel module knows. */
const UNDECIDED: ReadonlySet<string> = new Set([
  ...['QUEUE', 'NFQUEUE', 'DNAT', 'REDIRECT', 'NETMAP', 'TPROXY', 'SYNPROXY', 'CLUSTERIP', 'TARPIT', 'STEAL'],
  ...['DELUDE', 'CHAOS', 'DNPT', 'SNPT', 'ACCOUNT', 'FULLCONENAT'],
]);

function effectsOf(target: Target | undefined): readonly Effect[] {
  switch (target?.name) {
    case 'MARK':
      return [markEffect(target.words)];
    case 'CONNMARK':
      return [{ kind: 'ct-mark' }, ...(target.words.includes('--restore-mark') ? [UNKNOWN_MARK] : [])];
    case 'HMARK':
      return [UNKNOWN_MARK];
    case 'NOTRACK':
      return [{ kind: 'notrack' }];
    case 'CT':
      return target.words.includes('--notrack') ? [{ kind: 'notrack' }] : [];
    default:
      return [];
  }
}

const UNKNOWN_MARK: Effect = { kind: 'mark', keep: null, flip: null };

/** `--set-xmark V/M`: clears the bits of M, then flips those of V (iptables-extensions(8), MARK); save prints this form. */
function markEffect([option, value = '']: readonly string[]): Effect {
  const [flip, mask = 0xffffffff] = value.split('/').map(Number);
  if (option !== '--set-xmark' || flip === undefined || !Number.isInteger(flip) || !Number.isInteger(mask)) {
    return UNKNOWN_MARK;
  }
  return { kind: 'mark', keep: Number(0xffffffffn & ~BigInt(mask)), flip };
}
