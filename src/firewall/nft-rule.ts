import { shellWord } from '../shell-word.ts';
import { isObject, type Json, listAt, numberAt, objectAt, only, textAt } from './json.ts';
import { parseKey, parseMatch, type SetKey } from './nft-match.ts';
import type { Condition, Effect, Rule, TableFamily, Verdict } from './ruleset.ts';

export interface NftRule {
  /** libnftables-json(5), "expr". */
  readonly statements: readonly unknown[];
  readonly place: { readonly family: TableFamily; readonly table: string; readonly chain: string };
  readonly handle: number;
  readonly text: string;
  readonly setKey: SetKey;
  mapOf(name: string): Json | undefined;
}

/** One rule of nft; a verdict map becomes a rule for each of its elements, because only one can match. */
export function parseRules(rule: NftRule): readonly Rule[] {
  const where = `${rule.place.family} ${shellWord(rule.place.table)} ${shellWord(rule.place.chain)} handle ${rule.handle}`;
  const parts = rule.statements.map((statement) => parseStatement(statement, rule));
  const base = {
    label: `nft rule ${rule.place.family} ${rule.place.table} ${rule.place.chain} handle ${rule.handle}`,
    text: rule.text,
    deleteCommand: `nft delete rule ${where}`,
    packets: parts.find((part) => part.packets !== undefined)?.packets ?? null,
    effects: parts.flatMap((part) => part.effects ?? []),
  };
  const conditions = parts.flatMap((part) => part.conditions ?? []);
  const branches = parts.find((part) => part.branches !== undefined)?.branches;
  const verdict = parts.find((part) => part.verdict !== undefined)?.verdict ?? { kind: 'none' };
  if (branches === undefined) return [{ ...base, conditions, verdict }];
  return branches.map((branch) => ({
    ...base,
    conditions: [...conditions, ...branch.conditions],
    verdict: branch.verdict,
  }));
}

interface Branch {
  readonly conditions: readonly Condition[];
  readonly verdict: Verdict;
}

interface Statement {
  readonly conditions?: readonly Condition[];
  readonly effects?: readonly Effect[];
  readonly verdict?: Verdict;
  readonly branches?: readonly Branch[];
  readonly packets?: number;
}

function parseStatement(statement: unknown, rule: NftRule): Statement {
  const [name, body] = only(statement) ?? ['statement', undefined];
  const verdict = parseVerdict(name, body);
  if (verdict !== undefined) return { verdict };
  if (SILENT.has(name)) return {};
  const content = isObject(body) ? body : {};
  switch (name) {
    case 'match':
      return { conditions: parseMatch(content, rule.setKey) };
    case 'vmap':
      return parseVmap(content, rule);
    case 'counter':
      return isObject(body) ? { packets: numberAt(body, 'packets') ?? 0 } : {};
    case 'notrack':
      return { effects: [{ kind: 'notrack' }] };
    case 'mangle':
      return parseMangle(content);
    case 'set':
    case 'meter':
      return listAt(content, 'stmt').length > 0 || name === 'meter' ? open(name) : {};
    case 'xt':
      return parseXt(content);
  }
  return open(name);
}

/** Statements that neither stop a packet nor change what later rules see of it. */
const SILENT: ReadonlySet<string> = new Set([
  'log',
  'dup',
  'continue',
  'last',
  'comment',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'flow',
]);

function open(what: string): Statement {
  return { conditions: [{ kind: 'undecided', what }] };
}

function parseVerdict(name: string, body: unknown): Verdict | undefined {
  switch (name) {
    case 'accept':
    case 'return':
    case 'drop':
      return { kind: name };
    case 'reject':
      return { kind: 'drop' };
    case 'jump':
    case 'goto': {
      const target = isObject(body) ? textAt(body, 'target') : undefined;
      return { kind: 'jump', target: target ?? '', isGoto: name === 'goto' };
    }
    case 'masquerade':
    case 'snat':
      return { kind: 'accept' };
    case 'queue':
    case 'dnat':
    case 'redirect':
    case 'tproxy':
    case 'fwd':
    case 'synproxy':
      return { kind: 'undecided', what: name };
  }
  return undefined;
}

function parseVmap(vmap: Json, rule: NftRule): Statement {
  const data = vmap['data'];
  const pairs =
    typeof data === 'string' ? pairsOf(rule.mapOf(data.slice(1))) : pairsOf(isObject(data) ? data : undefined);
  return pairs === undefined ? open('vmap') : { branches: pairs.map((pair) => parseBranch(vmap['key'], pair)) };
}

function pairsOf(map: Json | undefined): readonly unknown[] | undefined {
  if (map === undefined) return undefined;
  return Array.isArray(map['set']) ? map['set'] : listAt(map, 'elem');
}

function parseBranch(key: unknown, pair: unknown): Branch {
  const [element, outcome] = Array.isArray(pair) ? pair : [];
  const [name, body] = only(outcome) ?? ['', undefined];
  return {
    conditions: parseKey(key, element),
    verdict: parseVerdict(name, body) ?? { kind: 'none' },
  };
}

function parseMangle(mangle: Json): Statement {
  const key = objectAt(mangle, 'key');
  const meta = key === undefined ? undefined : objectAt(key, 'meta');
  const ct = key === undefined ? undefined : objectAt(key, 'ct');
  if (ct !== undefined && textAt(ct, 'key') === 'mark') return { effects: [{ kind: 'ct-mark' }] };
  if (meta === undefined || textAt(meta, 'key') !== 'mark') return {};
  const value = numberAt(mangle, 'value');
  return { effects: [{ kind: 'mark', keep: value === undefined ? null : 0, flip: value ?? null }] };
}

/** Extensions of iptables inside nft, of which nft tells the name alone. */
function parseXt(xt: Json): Statement {
  const name = textAt(xt, 'name') ?? 'xt';
  if (textAt(xt, 'type') !== 'target') return name === 'comment' ? {} : open(`xt ${name}`);
  if (name === 'REJECT') return { verdict: { kind: 'drop' } };
  if (name === 'MASQUERADE' || name === 'SNAT') return { verdict: { kind: 'accept' } };
  if (name === 'MARK') return { effects: [{ kind: 'mark', keep: null, flip: null }] };
  if (name === 'CONNMARK') return { effects: [{ kind: 'ct-mark' }, { kind: 'mark', keep: null, flip: null }] };
  return XT_SILENT.has(name) ? {} : { verdict: { kind: 'undecided', what: `xt ${name}` } };
}

const XT_SILENT: ReadonlySet<string> = new Set([
  'LOG',
  'NFLOG',
  'TRACE',
  'TCPMSS',
  'CHECKSUM',
  'CLASSIFY',
  'AUDIT',
  'ULOG',
]);
