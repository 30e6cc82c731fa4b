import type { Operation } from '../dataplane/entry.ts';
import type { Fact, Observed } from '../facts/fact.ts';

/** One sentence in both languages. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

export const GROUPS = [
  'process',
  'lease',
  'kubernetes',
  'interface',
  'link',
  'peers',
  'cni',
  'firewall',
  'path',
  'backend',
] as const;
export type Group = (typeof GROUPS)[number];
export type Severity = 'error' | 'warning';

/**
 * What a check reads, by the name it uses. A plain fact arrives as its value: unknown makes the check `unknown`, absent makes it
 * `not-applicable`. `judged`: absence is what this check is about; it arrives as {@link Looked}, unknown still makes the check `unknown`.
 * `optional`: it only adds evidence or narrows a decision, and arrives as {@link Observed}.
 */
export type Needs = Readonly<
  Record<string, Fact<unknown> | { readonly judged: Fact<unknown> } | { readonly optional: Fact<unknown> }>
>;

export type FactsOf<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends { readonly optional: Fact<infer T> }
    ? Observed<T>
    : N[K] extends { readonly judged: Fact<infer T> }
      ? Looked<T>
      : N[K] extends Fact<infer T>
        ? T
        : never;
};

/** What was found by looking; that it could not be looked at is dealt with before. */
export type Looked<T> = Exclude<Observed<T>, { readonly status: 'unknown' }>;

/** `node` is the whole of this node; otherwise a peer's subnet (`subnet:10.244.2.0/24`), a peer's node, or a key in the datastore. */
export type Subject = 'node' | `subnet:${string}` | `node:${string}` | `key:${string}`;

/** One thing that is wrong: one finding per peer, not one finding about many. */
export interface Finding<V = unknown> {
  /** What the sentences need; plain JSON. */
  readonly values: V;
  /** Whom it is about; an edge holds per subject. */
  readonly about: readonly [Subject, ...Subject[]];
  readonly evidence: readonly [Evidence, ...Evidence[]];
  readonly remedy?: Remedy;
}

/** What was seen, what it should be, and how the reader sees the same. Nothing here is executed. */
export interface Evidence {
  readonly what: string;
  readonly observed: string | number | boolean | null;
  readonly expected?: string | number | boolean | null;
  /** A command or API path the reader can repeat. */
  readonly source: string;
}

export interface Remedy {
  /** For the reader to copy, one command each, complete. */
  readonly commands: readonly string[];
  /** What `--fix` applies; without any it can only be shown. */
  readonly actions: readonly Action[];
  /** `yes`: additive and what flanneld itself would do; `ask`: only after a question or `--yes`; `no`: never by a tool. */
  readonly automatic: 'yes' | 'ask' | 'no';
  readonly risk: Text;
}

/** One write. `--fix` shows it, applies it, and judges by running the check again. */
export type Action =
  | { readonly kind: 'overlay'; readonly operations: readonly Operation[] }
  | { readonly kind: 'sysctl'; readonly name: string; readonly value: string; readonly before: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: string; readonly mode: number };

/** A list with at least one item. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** One line each, a function of the values of the findings that are told together. */
export interface Sentences<V> {
  /** What holds when the check passes: "every peer has a forwarding entry". */
  readonly title: string;
  readonly summary: (values: NonEmpty<V>) => string;
  readonly remedy: (values: NonEmpty<V>) => string;
}

/** "That check's finding would produce this one." Declared at the consequence. */
export interface Edge<V = unknown> {
  /** Id of the check that may be the cause. */
  readonly id: string;
  /** Pure; `undefined`: the edge does not hold here. Called only when the cause is about the same subject or about the whole node. */
  because(cause: Finding, own: Finding<V>): Text | undefined;
  /** Whether this cause explains why this check could not be decided. Default: it does not. */
  whenUnknown?(cause: Finding, detail: string): Text | undefined;
}

export interface Check<N extends Needs = Needs, V = unknown> {
  /** File name; what is wrong: `fdb-missing`. Never reused for something else. */
  readonly id: string;
  readonly group: Group;
  readonly severity: Severity;
  /** `cluster`: it is judged from the datastore alone, also from a host without flannel. Default: this node. */
  readonly scope?: 'cluster';
  readonly needs: N;
  readonly causedBy?: readonly Edge<V>[];
  readonly say: { readonly en: Sentences<V>; readonly zh: Sentences<V> };
  /** Lines of flanneld, kubelet, k3s or containerd that speak of it. */
  readonly logs?: readonly RegExp[];
  /** The most that `--fix` does about any finding of this check; `no`: its remedies are only shown. */
  readonly repair: 'yes' | 'ask' | 'no';
  /** `drill`: a fault injects it for real; otherwise the written reason why none can. */
  readonly proof: 'drill' | { readonly recorded: string };
  /** Pure and synchronous; an empty list: it holds. */
  evaluate(facts: FactsOf<N>): readonly Finding<V>[];
}

/** A check whose own types have been checked at its definition and are of no further interest. */
// biome-ignore lint/suspicious/noExplicitAny: V is invariant; the registry holds checks of every V
export type AnyCheck = Check<any, any>;

/** Ties the types of needs, findings and sentences together. */
export function defineCheck<N extends Needs, V>(check: Check<N, V>): Check<N, V> {
  return check;
}
