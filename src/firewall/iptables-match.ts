import { bitsOf, familyOf } from '../net/cidr.ts';
import { parsePrefix } from './nft-element.ts';
import { protocolNumber } from './protocol.ts';
import type { Condition, Element, Field, Pattern } from './ruleset.ts';

/** One option of a rule with its values: `! --dport 1:5`. */
export interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly isNegated: boolean;
  /** The match extension it belongs to: `udp`; `''` for those of iptables itself. */
  readonly module: string;
}

/** Extensions whose every option {@link parseOption} looks at; any other is undecided as a whole. */
export const KNOWN_MODULES: ReadonlySet<string> = new Set([
  'comment',
  'udp',
  'tcp',
  'multiport',
  'conntrack',
  'state',
  'mark',
  'connmark',
  'addrtype',
  'pkttype',
  'iprange',
]);

/** The option as a condition; `undefined`: it asks for nothing (`--comment`). */
export function parseOption(option: Option): Condition | undefined {
  if (option.name === '--comment') return undefined;
  const parsed = parserOf(option)?.(option);
  if (parsed === undefined) return { kind: 'undecided', what: [option.name, ...option.values].join(' ') };
  return {
    kind: 'compare',
    operands: [{ field: parsed.field, mask: parsed.mask ?? null }],
    isNegated: option.isNegated,
    against: parsed.against,
  };
}

interface Comparison {
  readonly field: Field;
  readonly mask?: number;
  readonly against: readonly Element[];
}

type Parser = (option: Option) => Comparison | undefined;

function parserOf(option: Option): Parser | undefined {
  return PARSERS[`${option.module} ${option.name}`.trim()];
}

const ports =
  (field: Field): Parser =>
  ({ values }) =>
    list(field, values, parsePorts);

const words =
  (field: Field): Parser =>
  ({ values }) =>
    list(field, values, (word) => ({ kind: 'text', text: word.toLowerCase() }));

const mark =
  (field: Field): Parser =>
  ({ values }) => {
    const [value, mask] = (values[0] ?? '').split('/').map(Number);
    if (value === undefined || !Number.isInteger(value)) return undefined;
    return { field, mask: mask ?? 0xffffffff, against: [[{ kind: 'text', text: String(value) }]] };
  };

const PARSERS: Readonly<Record<string, Parser>> = {
  '-p': ({ values }) => protocol(values[0] ?? ''),
  '-s': ({ values }) => one('saddr', parseNetwork(values[0] ?? '')),
  '-d': ({ values }) => one('daddr', parseNetwork(values[0] ?? '')),
  '-i': ({ values }) => one('iif', parseDevice(values[0] ?? '')),
  '-o': ({ values }) => one('oif', parseDevice(values[0] ?? '')),
  '-f': ({ isNegated }) => ({ field: 'fragment-offset', against: isNegated ? ZERO : ZERO_NOT }),
  'udp --sport': ports('sport'),
  'udp --dport': ports('dport'),
  'tcp --sport': ports('sport'),
  'tcp --dport': ports('dport'),
  'multiport --sports': ports('sport'),
  'multiport --dports': ports('dport'),
  'conntrack --ctstate': words('ct-state'),
  'conntrack --ctdir': words('ct-direction'),
  'conntrack --ctproto': ({ values }) => protocol(values[0] ?? ''),
  'state --state': words('ct-state'),
  'mark --mark': mark('mark'),
  'connmark --mark': mark('ct-mark'),
  'addrtype --src-type': words('saddr-type'),
  'addrtype --dst-type': words('daddr-type'),
  'pkttype --pkt-type': ({ values }) => one('packet-type', { kind: 'text', text: PACKET_TYPES[values[0] ?? ''] ?? '' }),
  'iprange --src-range': ({ values }) => one('saddr', parseRange(values[0] ?? '')),
  'iprange --dst-range': ({ values }) => one('daddr', parseRange(values[0] ?? '')),
};

const PACKET_TYPES: Readonly<Record<string, string>> = {
  unicast: 'host',
  host: 'host',
  broadcast: 'broadcast',
  multicast: 'multicast',
};

const ZERO: readonly Element[] = [[{ kind: 'text', text: '0' }]];
/** `-f` means any but the first fragment. */
const ZERO_NOT: readonly Element[] = [[{ kind: 'range', from: '1', to: '8191' }]];

function one(field: Field, pattern: Pattern | undefined): Comparison | undefined {
  return pattern === undefined ? undefined : { field, against: [[pattern]] };
}

function list(
  field: Field,
  values: readonly string[],
  parse: (word: string) => Pattern | undefined,
): Comparison | undefined {
  const patterns = (values[0] ?? '').split(',').map(parse);
  if (!patterns.every((pattern) => pattern !== undefined)) return undefined;
  return { field, against: patterns.map((pattern) => [pattern]) };
}

function protocol(name: string): Comparison {
  const any = name === 'all' || name === '0';
  return { field: 'protocol', against: [[any ? { kind: 'any' } : { kind: 'text', text: protocolNumber(name) }]] };
}

function parsePorts(text: string): Pattern | undefined {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text);
  const from = match?.[1];
  return from === undefined ? undefined : { kind: 'range', from, to: match?.[2] ?? from };
}

/** A mask that is no prefix length (`255.0.255.0`) is left undecided. */
function parseNetwork(text: string): Pattern | undefined {
  const [address = '', length] = text.split('/');
  const family = familyOf(address);
  if (family === undefined) return undefined;
  return parsePrefix(address, length === undefined ? bitsOf(family) : Number(length));
}

function parseDevice(name: string): Pattern {
  return name.endsWith('+') ? { kind: 'prefix', text: name.slice(0, -1) } : { kind: 'text', text: name };
}

function parseRange(text: string): Pattern | undefined {
  const [from = '', to = ''] = text.split('-');
  return familyOf(from) === undefined || familyOf(to) === undefined ? undefined : { kind: 'range', from, to };
}
