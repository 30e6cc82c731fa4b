/** All packet filter rules of one host, whoever made them; plain JSON. */
export interface Ruleset {
  readonly chains: readonly Chain[];
  /** Named sets of nftables, by `family table name`. */
  readonly sets: Readonly<Record<string, readonly Element[]>>;
}

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'netdev' | 'bridge' | 'arp';
export type Hook = 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'egress';

export interface Chain {
  readonly family: TableFamily;
  readonly table: string;
  readonly name: string;
  /** The program its rules are named and changed with: `nft`, `iptables`, `ip6tables-legacy`. Jumps stay within program, family and table. */
  readonly program: string;
  /** `null`: a user chain, entered by jumps only. */
  readonly base: BaseChain | null;
  readonly rules: readonly Rule[];
}

export interface BaseChain {
  readonly hook: Hook;
  /** Lower runs first. */
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** Devices of an ingress or egress chain; `null`: any, or nft does not tell. */
  readonly devices: readonly string[] | null;
}

export interface Rule {
  /** Names it for a person: `nft rule inet filter input handle 41`. */
  readonly label: string;
  /** The rule as its program prints it; control characters escaped. */
  readonly text: string;
  /** Deletes exactly this rule; every word is quoted for a POSIX shell. */
  readonly deleteCommand: string;
  /** Its counter; `null`: it has none. */
  readonly packets: number | null;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
}

export type Condition =
  | {
      readonly kind: 'compare';
      /** More than one: a concatenation, compared part by part. */
      readonly operands: readonly Operand[];
      readonly isNegated: boolean;
      /** A list of alternatives, or the key of a named set. */
      readonly against: readonly Element[] | string;
    }
  /** A match this program cannot decide, in the words of the rule: `limit`, `-m string`. */
  | { readonly kind: 'undecided'; readonly what: string };

export interface Operand {
  readonly field: Field;
  /** Applied to a numeric field before it is compared; `null`: none. */
  readonly mask: number | null;
}

/** What a packet can be asked for. Protocols are numbers, addresses text, ports and marks decimal. */
export type Field =
  | 'family'
  | 'protocol'
  | 'saddr'
  | 'daddr'
  | 'sport'
  | 'dport'
  | 'iif'
  | 'oif'
  | 'mark'
  | 'ct-mark'
  | 'ct-state'
  | 'ct-status'
  | 'ct-direction'
  | 'packet-type'
  | 'saddr-type'
  | 'daddr-type'
  | 'fragment-offset';

/** One pattern for each operand. */
export type Element = readonly Pattern[];

export type Pattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'prefix'; readonly text: string }
  /** Both ends included; decimal numbers, or addresses of one family. */
  | { readonly kind: 'range'; readonly from: string; readonly to: string };

export type Effect =
  /** `mark = (mark & keep) ^ flip`; both `null`: to a value that is not known. */
  | { readonly kind: 'mark'; readonly keep: number | null; readonly flip: number | null }
  | { readonly kind: 'ct-mark' }
  | { readonly kind: 'notrack' };

export type Verdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'return' }
  | { readonly kind: 'jump'; readonly target: string; readonly isGoto: boolean }
  /** What becomes of the packet is decided elsewhere: a queue to user space, a rewritten destination, a target nobody knows. */
  | { readonly kind: 'undecided'; readonly what: string };
