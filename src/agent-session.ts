import type { DownResult } from './agent/down.ts';
import { FLANNEL_DEFAULTS, type FlannelOptions } from './net/flannel-options.ts';
import { selectNodeStore } from './node-selection.ts';
import type { AgentReport } from './render/agent-status.ts';
import { selectStore } from './store/selection.ts';
import type { StoreSecrets } from './store/store.ts';

export interface SessionInput {
  readonly root: string;
  /** Flags that were given: they count before what the agent was told. */
  readonly given: Partial<FlannelOptions>;
  readonly secrets: StoreSecrets;
  readonly timeoutMs: number;
  readonly stateFile: string;
}

/** Something to look at again and again, and to close at the end. */
export interface StatusSession {
  look(): Promise<AgentReport>;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Monotonic ms. */
  now(): number;
  close(): Promise<void>;
}

export async function openStatus(input: SessionInput): Promise<StatusSession> {
  const { openWorld } = await import('./wire.ts');
  const { readStatus } = await import('./agent/status.ts');
  const { readKnowledge, readTold } = await import('./agent/knowledge.ts');
  const { LOCK_NAME } = await import('./agent/lock.ts');
  const { root, given, secrets, timeoutMs, stateFile } = input;
  const isNamed = given.etcdEndpoints !== undefined || given.kubeSubnetMgr === true;
  const world = await openWorld({ root });
  const { host, clock } = world;
  const resident = await world.resident();
  const selection = await selectNodeStore({ ...FLANNEL_DEFAULTS, ...given }, host);
  const store = await world.openStore(selection, { secrets, timeoutMs });
  const know = () => readKnowledge({ host, store, stateFile, isNamed });
  return {
    look: async () => {
      const said = await resident.ask(LOCK_NAME);
      const agent = said === undefined ? null : JSON.parse(said);
      const told = await readTold(host, { agent, stateFile });
      const options = { ...FLANNEL_DEFAULTS, ...told, ...given };
      const isToldRules = told !== undefined || given.ipMasq !== undefined || given.iptablesForwardRules !== undefined;
      return { overlay: await readStatus({ host, clock, options, isToldRules, know }), agent };
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
    now: () => clock.monotonic(),
    close: () => store.close(),
  };
}

export interface DownRequest extends SessionInput {
  readonly cniConf: string | undefined;
  readonly release: boolean;
}

/** `down`; the datastore is opened only to give the lease back. */
export async function runDown(input: DownRequest): Promise<DownResult> {
  const { openWorld } = await import('./wire.ts');
  const { takeDown } = await import('./agent/down.ts');
  const { readTold } = await import('./agent/knowledge.ts');
  const { root, given, secrets, timeoutMs, stateFile, cniConf } = input;
  const world = await openWorld({ root });
  const told = await readTold(world.host, { agent: null, stateFile });
  const options = { ...FLANNEL_DEFAULTS, ...told, ...given };
  const [writer, resident] = await Promise.all([world.writer(), world.resident()]);
  const selection = selectStore(options);
  const store = input.release ? await world.openStore(selection, { secrets, timeoutMs }) : undefined;
  try {
    const { host } = world;
    return await takeDown({
      host,
      writer,
      resident,
      options,
      stateFile,
      cniConf,
      storeKind: selection.kind,
      releaseFrom: store,
    });
  } finally {
    await store?.close();
  }
}
