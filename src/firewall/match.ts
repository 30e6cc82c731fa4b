import { familyOf, ipToNumber } from '../net/cidr.ts';
import type { Packet } from './packet.ts';
import { protocolNumber } from './protocol.ts';
import type { Chain, Condition, Element, Field, Hook, Operand, Pattern, Ruleset } from './ruleset.ts';

export type Ternary = 'yes' | 'no' | 'maybe';

/** What a packet has collected on its way, and where it is. */
export interface Passage {
  readonly hook: Hook;
  readonly priority: number;
  /** `null`: no longer known. */
  readonly mark: number | null;
  readonly ctMark: '0' | null;
  readonly tracking: 'tracked' | 'untracked' | null;
}

/** Connection tracking looks at a packet at this priority of prerouting and output (NF_IP_PRI_CONNTRACK). */
const CONNTRACK_PRIORITY = -200;

export interface Question {
  readonly ruleset: Ruleset;
  readonly chain: Chain;
  readonly packet: Packet;
  readonly passage: Passage;
}

/** Whether a packet meets all conditions; one that fails decides, whatever the others are. */
export function meets(conditions: readonly Condition[], question: Question): Ternary {
  let result: Ternary = 'yes';
  for (const condition of conditions) {
    const answer = meetsOne(condition, question);
    if (answer === 'no') return 'no';
    if (answer === 'maybe') result = 'maybe';
  }
  return result;
}

/** The first condition that leaves it open, in words. */
export function undecidedPart(conditions: readonly Condition[], question: Question): string {
  const open = conditions.find((condition) => meetsOne(condition, question) === 'maybe');
  if (open === undefined) return '';
  return open.kind === 'undecided' ? open.what : open.operands.map((operand) => operand.field).join(' . ');
}

function meetsOne(condition: Condition, question: Question): Ternary {
  if (condition.kind === 'undecided') return 'maybe';
  const values = condition.operands.map((operand) => valueAsked(operand, question));
  const found = containsAny(elementsOf(condition.against, question.ruleset), values);
  return condition.isNegated ? opposite(found) : found;
}

function elementsOf(against: readonly Element[] | string, ruleset: Ruleset): readonly Element[] | undefined {
  return typeof against === 'string' ? ruleset.sets[against] : against;
}

function containsAny(elements: readonly Element[] | undefined, values: readonly Value[]): Ternary {
  if (elements === undefined) return 'maybe';
  let result: Ternary = 'no';
  for (const element of elements) {
    const answer = fits(element, values);
    if (answer === 'yes') return 'yes';
    if (answer === 'maybe') result = 'maybe';
  }
  return result;
}

function fits(element: Element, values: readonly Value[]): Ternary {
  let result: Ternary = 'yes';
  for (const [index, value] of values.entries()) {
    const pattern = element[index];
    const answer = pattern === undefined ? 'maybe' : fitsPattern(pattern, value);
    if (answer === 'no') return 'no';
    if (answer === 'maybe') result = 'maybe';
  }
  return result;
}

function fitsPattern(pattern: Pattern, value: Value): Ternary {
  if (pattern.kind === 'any') return 'yes';
  if (value === 'unknown') return 'maybe';
  switch (pattern.kind) {
    case 'text':
      return pattern.text === value.known || protocolNumber(pattern.text) === value.known ? 'yes' : 'no';
    case 'prefix':
      return value.known.startsWith(pattern.text) ? 'yes' : 'no';
    case 'range':
      return inRange(pattern, value.known);
  }
}

function inRange(range: { readonly from: string; readonly to: string }, text: string): Ternary {
  const [from, to, value] = [orderOf(range.from), orderOf(range.to), orderOf(text)];
  if (from === undefined || to === undefined || value === undefined) return 'maybe';
  if (from.family !== value.family) return 'no';
  return from.order <= value.order && value.order <= to.order ? 'yes' : 'no';
}

function orderOf(text: string): { family: number; order: number | bigint } | undefined {
  if (/^\d{1,10}$/.test(text)) return { family: 0, order: Number(text) };
  const family = familyOf(text);
  if (family === undefined) return undefined;
  // A set may hold 100,000 addresses: IPv4 is compared without big integers.
  if (family === 4) return { family, order: text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) };
  return { family, order: ipToNumber(text, family) };
}

function opposite(answer: Ternary): Ternary {
  if (answer === 'maybe') return 'maybe';
  return answer === 'yes' ? 'no' : 'yes';
}

type Value = { readonly known: string } | 'unknown';

function valueAsked(operand: Operand, question: Question): Value {
  const value = plainValue(operand.field, question);
  if (operand.mask === null || typeof value === 'string') return value;
  return { known: String(Number(BigInt(value.known) & BigInt(operand.mask))) };
}

function plainValue(field: Field, question: Question): Value {
  const { packet, passage, chain } = question;
  switch (field) {
    case 'family':
      return known(packet.family);
    case 'protocol':
      return known(packet.protocol);
    case 'saddr':
    case 'daddr':
    case 'sport':
    case 'dport':
      return known(packet[field]);
    case 'iif':
    case 'oif':
      return deviceOf(field, question);
    case 'mark':
      return known(passage.mark);
    case 'ct-mark':
      return known(passage.ctMark);
    case 'ct-state':
      return stateOf(packet, passage, chain);
    case 'ct-status':
      return { known: 'unanswered' };
    case 'ct-direction':
      return { known: 'original' };
    case 'fragment-offset':
      return { known: '0' };
    case 'packet-type':
      return packet.iif === '' ? 'unknown' : { known: 'host' };
    case 'saddr-type':
      return { known: packet.iif === '' ? 'local' : 'unicast' };
    case 'daddr-type':
      return { known: packet.oif === '' ? 'local' : 'unicast' };
  }
}

function known(value: number | string | null): Value {
  return value === null ? 'unknown' : { known: String(value) };
}

/** Where there is no device, kernels compare with an empty name. */
function deviceOf(field: 'iif' | 'oif', { packet, passage, chain }: Question): Value {
  if (chain.family === 'bridge') return 'unknown';
  const isSeen =
    field === 'iif'
      ? passage.hook !== 'output' && passage.hook !== 'egress' && packet.iif !== ''
      : passage.hook !== 'prerouting' && passage.hook !== 'ingress' && packet.oif !== '';
  return { known: isSeen ? packet[field] : '' };
}

/**
 * A tunnel packet is always the first of its connection: its answer comes from a source port of its own, so conntrack
 * never sees a reply. Before conntrack has looked, both iptables and nft read `invalid`.
 */
function stateOf(packet: Packet, passage: Passage, chain: Chain): Value {
  if (chain.family === 'bridge' || chain.family === 'netdev') return 'unknown';
  const startsHere = passage.hook === 'ingress' || passage.hook === (packet.iif === '' ? 'output' : 'prerouting');
  if (passage.tracking === null) return 'unknown';
  if (passage.tracking === 'untracked') return { known: 'untracked' };
  if (startsHere && passage.priority === CONNTRACK_PRIORITY) return 'unknown';
  const isTracked = !startsHere || (passage.hook !== 'ingress' && passage.priority > CONNTRACK_PRIORITY);
  return { known: isTracked ? 'new' : 'invalid' };
}
