import { familyOf } from '../net/cidr.ts';
import { isObject, type Json, listAt, only, textAt } from './json.ts';
import { parseElement, parseElements } from './nft-element.ts';
import { protocolNumber } from './protocol.ts';
import type { Condition, Element, Field, Operand, Pattern } from './ruleset.ts';

/** Named sets are referred to by this key. */
export type SetKey = (name: string) => string;

/** A left side: what is compared, and what the packet must be for it to be there at all. */
interface Subject {
  readonly operands: readonly Operand[];
  /** nft leaves these out of its output: `udp dport` asks for the protocol first. */
  readonly implied: readonly Condition[];
}

/** `{ op, left, right }` of libnftables-json(5) as conditions that must all hold. */
export function parseMatch(match: Json, setKey: SetKey): readonly Condition[] {
  const op = textAt(match, 'op') ?? '==';
  const subject = parseSubject(match['left']);
  if (subject === undefined) return [...impliedBy(match['left']), undecided(match['left'])];
  const elements = againstOf(op, match['right'], setKey);
  if (elements === undefined) return [...subject.implied, undecided(match['left'])];
  const isNegated = op === '!=';
  return [...subject.implied, compare(subject.operands, isNegated, normalised(subject, elements))];
}

/** The key of a verdict map and one of its keys' patterns. */
export function parseKey(key: unknown, element: unknown): readonly Condition[] {
  const subject = parseSubject(key);
  const patterns = parseElement(element);
  if (subject === undefined || patterns === undefined) return [...impliedBy(key), undecided(key)];
  return [...subject.implied, compare(subject.operands, false, normalised(subject, [patterns]))];
}

function compare(operands: readonly Operand[], isNegated: boolean, against: readonly Element[] | string): Condition {
  return { kind: 'compare', operands, isNegated, against };
}

function undecided(left: unknown): Condition {
  return { kind: 'undecided', what: only(left)?.[0] ?? 'match' };
}

function againstOf(op: string, right: unknown, setKey: SetKey): readonly Element[] | string | undefined {
  if (op === '==' || op === '!=' || op === 'in') return parseRight(right, setKey);
  if (typeof right !== 'number') return undefined;
  const [low, high] = [0, 0xffffffff];
  switch (op) {
    case '<':
      return [[range(low, right - 1)]];
    case '<=':
      return [[range(low, right)]];
    case '>':
      return [[range(right + 1, high)]];
    case '>=':
      return [[range(right, high)]];
  }
  return undefined;
}

function range(from: number, to: number): Pattern {
  return { kind: 'range', from: String(from), to: String(to) };
}

function parseRight(right: unknown, setKey: SetKey): readonly Element[] | string | undefined {
  if (typeof right === 'string' && right.startsWith('@')) return setKey(right.slice(1));
  if (Array.isArray(right)) return parseElements(right);
  const [name, body] = only(right) ?? [];
  if (name === 'set') return Array.isArray(body) ? parseElements(body) : parseElements([body]);
  const element = parseElement(right);
  return element === undefined ? undefined : [element];
}

/** Protocols by number, addresses in canonical text. */
function normalised(subject: Subject, against: readonly Element[] | string): readonly Element[] | string {
  if (typeof against === 'string') return against;
  return against.map((element) => element.map((pattern, index) => normalise(subject.operands[index]?.field, pattern)));
}

function normalise(field: Field | undefined, pattern: Pattern): Pattern {
  if (pattern.kind !== 'text') return pattern;
  if (field === 'protocol') return { kind: 'text', text: protocolNumber(pattern.text) };
  if (field === 'family') return { kind: 'text', text: FAMILIES[pattern.text] ?? pattern.text };
  // An address may be written in more than one way; a range of one compares its value.
  return familyOf(pattern.text) === undefined ? pattern : { kind: 'range', from: pattern.text, to: pattern.text };
}

const FAMILIES: Readonly<Record<string, string>> = { ip: '4', ipv4: '4', ip6: '6', ipv6: '6' };

function parseSubject(left: unknown): Subject | undefined {
  const [name, body] = only(left) ?? [];
  switch (name) {
    case 'concat':
      return Array.isArray(body) ? body.map(parseSubject).reduce(both, { operands: [], implied: [] }) : undefined;
    case '&':
      return Array.isArray(body) ? masked(parseSubject(body[0]), body[1]) : undefined;
    case 'meta':
      return isObject(body) ? plain(META[textAt(body, 'key') ?? '']) : undefined;
    case 'ct':
      return isObject(body) && body['dir'] === undefined ? plain(CT[textAt(body, 'key') ?? '']) : undefined;
    case 'fib':
      return isObject(body) ? parseFib(body) : undefined;
    case 'payload':
      return isObject(body) ? parsePayload(body) : undefined;
    default:
      return undefined;
  }
}

function both(a: Subject | undefined, b: Subject | undefined): Subject | undefined {
  if (a === undefined || b === undefined) return undefined;
  return { operands: [...a.operands, ...b.operands], implied: [...a.implied, ...b.implied] };
}

function masked(subject: Subject | undefined, mask: unknown): Subject | undefined {
  if (subject === undefined || typeof mask !== 'number') return undefined;
  return { ...subject, operands: subject.operands.map(({ field }) => ({ field, mask })) };
}

function plain(field: Field | undefined, implied: readonly Condition[] = []): Subject | undefined {
  return field === undefined ? undefined : { operands: [{ field, mask: null }], implied };
}

const META: Readonly<Record<string, Field>> = {
  nfproto: 'family',
  protocol: 'family',
  l4proto: 'protocol',
  iif: 'iif',
  iifname: 'iif',
  oif: 'oif',
  oifname: 'oif',
  mark: 'mark',
  pkttype: 'packet-type',
};

const CT: Readonly<Record<string, Field>> = {
  state: 'ct-state',
  status: 'ct-status',
  direction: 'ct-direction',
  mark: 'ct-mark',
};

function parseFib(fib: Json): Subject | undefined {
  const flags = listAt(fib, 'flags');
  if (textAt(fib, 'result') !== 'type') return undefined;
  if (flags.includes('daddr')) return plain('daddr-type');
  return flags.includes('saddr') ? plain('saddr-type') : undefined;
}

function parsePayload(payload: Json): Subject | undefined {
  const protocol = textAt(payload, 'protocol');
  const field = textAt(payload, 'field');
  return protocol === undefined || field === undefined
    ? undefined
    : plain(PAYLOAD[`${protocol} ${field}`], impliedBy({ payload }));
}

const PAYLOAD: Readonly<Record<string, Field>> = {
  'ip saddr': 'saddr',
  'ip daddr': 'daddr',
  'ip protocol': 'protocol',
  'ip frag-off': 'fragment-offset',
  'ip6 saddr': 'saddr',
  'ip6 daddr': 'daddr',
  'ip6 nexthdr': 'protocol',
  'ether type': 'family',
  'tcp sport': 'sport',
  'tcp dport': 'dport',
  'udp sport': 'sport',
  'udp dport': 'dport',
  'th sport': 'sport',
  'th dport': 'dport',
};

/** What a payload expression asks of the packet before it looks at the field. */
function impliedBy(left: unknown): readonly Condition[] {
  const [name, body] = only(left) ?? [];
  if ((name === '&' || name === 'concat') && Array.isArray(body)) return body.flatMap(impliedBy);
  if (name === 'tcp option' || name === 'sctp chunk') return [isProtocol(name.split(' ')[0] ?? '')];
  if (name !== 'payload' || !isObject(body)) return [];
  const protocol = textAt(body, 'protocol') ?? '';
  const family = FAMILIES[protocol];
  if (family !== undefined)
    return [compare([{ field: 'family', mask: null }], false, [[{ kind: 'text', text: family }]])];
  if (LAYERS_WITHOUT_PROTOCOL.has(protocol)) return [];
  return [isProtocol(protocol)];
}

const LAYERS_WITHOUT_PROTOCOL: ReadonlySet<string> = new Set([
  '',
  'th',
  'ether',
  'vlan',
  'arp',
  'inner',
  'vxlan',
  'geneve',
]);

function isProtocol(name: string): Condition {
  const text = protocolNumber(name);
  return compare([{ field: 'protocol', mask: null }], false, [[{ kind: 'text', text }]]);
}
