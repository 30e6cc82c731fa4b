import { meets, type Passage, type Question, undecidedPart } from './match.ts';
import type { Packet } from './packet.ts';
import type { BaseChain, Chain, Effect, Hook, Rule, Ruleset, TableFamily } from './ruleset.ts';

/** What dropped a packet: a rule, or the policy of a base chain that no rule anticipated. */
export type Blocker =
  | { readonly kind: 'rule'; readonly rule: Rule; readonly base: Chain }
  | { readonly kind: 'policy'; readonly base: Chain };

/** A rule that may or may not apply, and which of its parts cannot be decided. */
export interface OpenRule {
  readonly rule: Rule;
  readonly what: string;
}

export type Judgement =
  | { readonly verdict: 'accepted' }
  /** Whatever undecided rules do, the packet does not get through. */
  | { readonly verdict: 'dropped'; readonly by: Blocker }
  /** It may be dropped by `by`: that hangs on `because`. */
  | {
      readonly verdict: 'undecided';
      readonly by: Blocker;
      readonly because: OpenRule;
      readonly drops: readonly Drop[];
    };

export interface Way {
  readonly ruleset: Ruleset;
  readonly packet: Packet;
  readonly hooks: readonly Hook[];
}

export const INCOMING: readonly Hook[] = ['ingress', 'prerouting', 'input'];
export const OUTGOING: readonly Hook[] = ['output', 'postrouting', 'egress'];
export const FORWARDED: readonly Hook[] = ['forward'];

/**
 * What becomes of the packet at these hooks. Base chains run by priority; accepting in one leaves the others to judge,
 * a drop in any is final (nft(8), "Verdict statements").
 */
export function judge(way: Way): Judgement {
  return judgeWithout(way, new Set());
}

/** Everything that would have to go before the packet passes, in the order it meets them; empty unless it is surely dropped. */
export function blockersOf(way: Way): readonly Blocker[] {
  const ignored = new Set<Rule | Chain>();
  const blockers: Blocker[] = [];
  for (;;) {
    const judgement = judgeWithout(way, ignored);
    if (judgement.verdict !== 'dropped') return blockers;
    blockers.push(judgement.by);
    ignored.add(judgement.by.kind === 'rule' ? judgement.by.rule : judgement.by.base);
  }
}

/** One of the ways a packet may end. */
export interface Drop {
  readonly by: Blocker;
  /** What it hangs on; `undefined`: nothing. */
  readonly because: OpenRule | undefined;
}

function judgeWithout(way: Way, ignored: ReadonlySet<Rule | Chain>): Judgement {
  const walk = new Walk(way, ignored);
  for (const { chain, base } of baseChainsOf(way)) {
    if (!walk.passes(chain, base)) break;
  }
  return walk.judgement();
}

function baseChainsOf({ ruleset, packet, hooks }: Way): readonly { chain: Chain; base: BaseChain }[] {
  const families = familiesOf(packet);
  return ruleset.chains
    .flatMap((chain) => (chain.base === null ? [] : [{ chain, base: chain.base }]))
    .filter(({ chain, base }) => hooks.includes(base.hook) && families.has(chain.family) && isOnDevice(base, packet))
    .sort((a, b) => hooks.indexOf(a.base.hook) - hooks.indexOf(b.base.hook) || a.base.priority - b.base.priority);
}

function familiesOf(packet: Packet): ReadonlySet<TableFamily> {
  const families: TableFamily[] = ['inet', 'netdev', packet.family === 4 ? 'ip' : 'ip6'];
  return new Set(packet.isBridged ? [...families, 'bridge'] : families);
}

function isOnDevice(base: BaseChain, packet: Packet): boolean {
  if (base.hook !== 'ingress' && base.hook !== 'egress') return true;
  const device = base.hook === 'ingress' ? packet.iif : packet.oif;
  return base.devices?.includes(device) ?? true;
}

/** How a chain may end: `stops` for a certain final verdict. */
interface End {
  readonly mayFallThrough: boolean;
  readonly mayAccept: boolean;
}

/** Jumps deeper than this are refused by the kernel (NFT_JUMP_STACK_SIZE). */
const MAX_DEPTH = 17;

class Walk {
  readonly #way: Way;
  readonly #ignored: ReadonlySet<Rule | Chain>;
  readonly #drops: Drop[] = [];
  #lastOpen: OpenRule | undefined;
  #passage: Passage = { hook: 'ingress', priority: 0, mark: 0, ctMark: '0', tracking: 'tracked' };
  #blocked = false;

  constructor(way: Way, ignored: ReadonlySet<Rule | Chain>) {
    this.#way = way;
    this.#ignored = ignored;
  }

  passes(chain: Chain, base: BaseChain): boolean {
    this.#passage = { ...this.#passage, hook: base.hook, priority: base.priority };
    const end = this.#chain({ chain, base: chain, open: undefined, depth: 0 });
    const policyDrops = base.policy === 'drop' && !this.#ignored.has(chain);
    if (end.mayFallThrough && policyDrops) this.#drop({ kind: 'policy', base: chain }, undefined);
    const mayPass = end.mayAccept || (end.mayFallThrough && !policyDrops);
    this.#blocked = !mayPass;
    return mayPass;
  }

  judgement(): Judgement {
    // Nothing passes the last chain, so the last drop in it is where the certain way ends.
    const last = this.#drops.at(-1);
    if (this.#blocked && last !== undefined) return { verdict: 'dropped', by: last.by };
    const [first] = this.#drops;
    if (first === undefined) return { verdict: 'accepted' };
    if (first.because === undefined) return { verdict: 'dropped', by: first.by };
    return { verdict: 'undecided', by: first.by, because: first.because, drops: this.#drops };
  }

  /** `because`: the rule that led here and may not apply; without one, the last that may have let the packet out before. */
  #drop(by: Blocker, because: OpenRule | undefined): void {
    this.#drops.push({ by, because: because ?? this.#lastOpen });
  }

  #chain({ chain, base, open, depth }: Stretch): End {
    let mayAccept = false;
    let mayReturn = false;
    if (depth > MAX_DEPTH) return { mayFallThrough: true, mayAccept };
    for (const rule of chain.rules) {
      if (this.#ignored.has(rule)) continue;
      const question: Question = { ...this.#way, chain, passage: this.#passage };
      const met = meets(rule.conditions, question);
      if (met === 'no') continue;
      const because = met === 'maybe' ? { rule, what: undecidedPart(rule.conditions, question) } : open;
      if (met === 'maybe') this.#lastOpen = because;
      const end = this.#apply({ rule, chain, base, because, depth });
      for (const effect of rule.effects) this.#take(effect, met === 'yes' && open === undefined);
      mayAccept ||= end.mayAccept;
      mayReturn ||= end.mayReturn;
      if (met === 'yes' && !end.mayContinue) return { mayFallThrough: mayReturn, mayAccept };
    }
    return { mayFallThrough: true, mayAccept };
  }

  #apply(step: Place): Step {
    const { rule, base, because } = step;
    switch (rule.verdict.kind) {
      case 'none':
        return { mayAccept: false, mayReturn: false, mayContinue: true };
      case 'accept':
        return { mayAccept: true, mayReturn: false, mayContinue: false };
      case 'return':
        return { mayAccept: false, mayReturn: true, mayContinue: false };
      case 'drop':
        this.#drop({ kind: 'rule', rule, base }, because);
        return { mayAccept: false, mayReturn: false, mayContinue: false };
      case 'undecided':
        return this.#undecided(rule.verdict.what, step);
      case 'jump':
        return this.#jump(rule.verdict, step);
    }
  }

  #undecided(what: string, { rule, base }: Place): Step {
    const open = { rule, what };
    this.#lastOpen = open;
    this.#drop({ kind: 'rule', rule, base }, open);
    return { mayAccept: true, mayReturn: false, mayContinue: true };
  }

  #jump(verdict: { target: string; isGoto: boolean }, step: Place): Step {
    const target = this.#way.ruleset.chains.find(
      (chain) => isSibling(chain, step.chain) && chain.name === verdict.target,
    );
    if (target === undefined) return this.#undecided(verdict.target, step);
    const end = this.#chain({ chain: target, base: step.base, open: step.because, depth: step.depth + 1 });
    return verdict.isGoto
      ? { mayAccept: end.mayAccept, mayReturn: end.mayFallThrough, mayContinue: false }
      : { mayAccept: end.mayAccept, mayReturn: false, mayContinue: end.mayFallThrough };
  }

  #take(effect: Effect, isCertain: boolean): void {
    switch (effect.kind) {
      case 'mark': {
        const { mark } = this.#passage;
        const isKnown = isCertain && effect.flip !== null && (mark !== null || effect.keep === 0);
        this.#passage = { ...this.#passage, mark: isKnown ? rewrite(mark ?? 0, effect) : null };
        return;
      }
      case 'ct-mark':
        this.#passage = { ...this.#passage, ctMark: null };
        return;
      case 'notrack':
        this.#passage = { ...this.#passage, tracking: isCertain ? 'untracked' : null };
        return;
    }
  }
}

/** A chain, the base chain it was reached from, and the rule on the way that may not have applied. */
interface Stretch {
  readonly chain: Chain;
  readonly base: Chain;
  readonly open: OpenRule | undefined;
  readonly depth: number;
}

interface Place {
  readonly rule: Rule;
  readonly chain: Chain;
  readonly base: Chain;
  readonly because: OpenRule | undefined;
  readonly depth: number;
}

interface Step {
  readonly mayAccept: boolean;
  readonly mayReturn: boolean;
  readonly mayContinue: boolean;
}

function isSibling(a: Chain, b: Chain): boolean {
  return a.family === b.family && a.table === b.table && a.program === b.program;
}

function rewrite(mark: number, effect: { keep: number | null; flip: number | null }): number {
  return Number((BigInt(mark) & BigInt(effect.keep ?? 0)) ^ BigInt(effect.flip ?? 0));
}
