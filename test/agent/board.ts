import { type AgentParts, type Board, makeBoard } from '../../src/agent/board.ts';
import type { LogFields } from '../../src/agent/log.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import type { LeaseListing, LeaseRecord, SubnetStore } from '../../src/store/store.ts';
import { aConfig, aLease, anUnderlay } from '../dataplane/builders.ts';

export interface TestBoard {
  readonly board: Board;
  /** What the agent said, one line an event. */
  readonly said: readonly string[];
  /** Both clocks go on. */
  pass(ms: number): void;
  /** The clock of the day alone. */
  jump(ms: number): void;
}

/** A board of node 1 with a clock that stands; sleeping makes it go. What the test does not give must not be used. */
export function aBoard(store: Partial<SubnetStore> = {}): TestBoard {
  const said: string[] = [];
  let [wall, monotonic] = [1_000_000_000, 0];
  const pass = (ms: number) => {
    wall += ms;
    monotonic += ms;
  };
  const say = (message: string, fields: LogFields = {}) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const parts = {
    clock: { now: () => wall, monotonic: () => monotonic, sleep: async (ms: number) => pass(ms) },
    log: { debug: say, info: say, warn: say, error: say },
    measures: { datastoreError: () => undefined },
    store: { kind: 'etcd', ...store },
  } as unknown as AgentParts;
  const board = makeBoard({
    parts,
    settings: {
      options: FLANNEL_DEFAULTS,
      onConflict: 'fail',
      force: false,
      takeover: false,
      leasesFile: undefined,
      cniConf: undefined,
      stateFile: '/nowhere/state.json',
      prefix: '/coreos.com/network',
    },
    start: { config: aConfig(), configText: '', wanted: aLease(1).attributes, underlay: anUnderlay() },
  });
  const jump = (ms: number) => {
    wall += ms;
  };
  return { board, said, pass, jump };
}

export function aListing(clusterId: string, records: readonly LeaseRecord[]): LeaseListing {
  return { records, clusterId, revision: '9', source: 'etcd http://10.0.0.9:2379 /coreos.com/network' };
}
