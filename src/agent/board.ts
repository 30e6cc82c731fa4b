import type { DesiredOverlay, RouteEntry } from '../dataplane/entry.ts';
import type { Underlay } from '../dataplane/underlay.ts';
import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Resident } from '../host/resident.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { LeaseAttributes, SubnetStore } from '../store/store.ts';
import type { WrittenConflist } from './conflist-file.ts';
import { LeaseBook } from './lease-book.ts';
import type { OwnLease } from './lease-care.ts';
import type { Log } from './log.ts';
import type { Measures } from './measures.ts';
import { OwnerWatch } from './owner.ts';
import type { Suspicion } from './removals.ts';
import type { AgentSettings } from './settings.ts';
import { Waker } from './waker.ts';

/** What the agent works with. */
export interface AgentParts {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly resident: Resident;
  readonly clock: Clock;
  readonly store: SubnetStore;
  readonly log: Log;
  readonly measures: Measures;
  /** Tells the Kubernetes API that the network of this node is there; left out: nobody asks. */
  readonly announce?: () => Promise<void>;
}

/** What is wrong, by what it is wrong with: the text of /readyz. */
export type ProblemName =
  | 'start'
  | 'datastore'
  | 'lease'
  | 'subnet'
  | 'interface'
  | 'kernel'
  | 'foreign-route'
  | 'subnet-file'
  | 'cni-conf'
  | 'rules';

/** What the tasks of one agent tell each other. Only they write to it, each its own part. */
export interface Board {
  readonly parts: AgentParts;
  readonly settings: AgentSettings;
  readonly book: LeaseBook;
  /** Before anything is written to the kernel. */
  readonly owner: OwnerWatch;
  /** Wakes the reconcile loop. */
  readonly look: Waker;
  /** Wakes who adds new peers ahead of a round. */
  readonly fresh: Waker;
  /** Wakes the care for the lease. */
  readonly care: Waker;
  /** Wakes the care for the packet filter rules. */
  readonly rules: Waker;
  /** Wakes who tells the Node: it may be another one of the same name. */
  readonly acquired: Waker;
  readonly problems: Map<ProblemName, string>;
  config: NetworkConfig;
  configText: string;
  own: OwnLease;
  /** What this node should publish, as the last look at it said. */
  wanted: LeaseAttributes;
  underlay: Underlay;
  /** Routes by a peer's public IP that we have made and that may still be there. */
  directRoutes: readonly RouteEntry[];
  suspicion: Suspicion;
  /** What we know of our own record is doubted. */
  inDoubt: boolean;
  /** What was written for `--cni-conf`; `undefined`: nothing yet. */
  conflist: WrittenConflist | undefined;
  /** Records that are not programmed, with the reason, as last told. */
  toldIgnored: ReadonlySet<string>;
  /** Of the last round that came to its end. */
  lastRound: RoundReport | undefined;
}

export interface RoundReport {
  /** Monotonic ms at its end. */
  readonly at: number;
  readonly desired: DesiredOverlay;
  /** What is left to be done, as lines; empty: all in order. */
  readonly drift: readonly string[];
  readonly heldBack: readonly string[];
  readonly subnetEnv: string | undefined;
}

export interface BoardInput {
  readonly parts: AgentParts;
  readonly settings: AgentSettings;
  readonly start: Pick<Board, 'config' | 'configText' | 'wanted' | 'underlay'>;
}

export function makeBoard({ parts, settings, start }: BoardInput): Board {
  return {
    ...start,
    parts,
    settings,
    book: new LeaseBook(),
    owner: new OwnerWatch(parts),
    look: new Waker(parts.clock),
    fresh: new Waker(parts.clock),
    care: new Waker(parts.clock),
    rules: new Waker(parts.clock),
    acquired: new Waker(parts.clock),
    problems: new Map([['start', 'the overlay has not been programmed yet']]),
    own: { status: 'none' },
    directRoutes: [],
    suspicion: { kind: 'none' },
    inDoubt: false,
    conflist: undefined,
    toldIgnored: new Set(),
    lastRound: undefined,
  };
}

/** Sets or clears a problem; says so once. */
export function settle(board: Board, name: ProblemName, problem: string | undefined): void {
  const before = board.problems.get(name);
  if (before === problem) return;
  if (problem === undefined) {
    board.problems.delete(name);
    if (name !== 'start') board.parts.log.info('in order again', { about: name });
    return;
  }
  board.problems.set(name, problem);
  board.parts.log.error(problem, { about: name });
}
