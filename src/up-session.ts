import type { Ending } from './agent/agent.ts';
import type { AgentSettings } from './agent/settings.ts';
import type { NodeConditionPatch } from './kube/kube.ts';
import { selectNodeStore } from './node-selection.ts';
import type { StoreSecrets, StoreSelection } from './store/store.ts';

export interface AgentInput {
  readonly root: string;
  readonly settings: Omit<AgentSettings, 'prefix'>;
  readonly secrets: StoreSecrets;
  /** Deadline of one call of the datastore. */
  readonly timeoutMs: number;
  readonly debug: boolean;
  /** Writes the condition NetworkUnavailable of the Node, as flannel does. */
  readonly setsCondition: boolean;
  readonly say: (line: string) => void;
}

/** Runs the node agent until the signal aborts. */
export async function runNodeAgent(
  { settings, secrets, timeoutMs, ...input }: AgentInput,
  signal: AbortSignal,
): Promise<Ending> {
  const [{ nameProcess, openWorld }, { runAgent }, { promMeasures }, { logfmt }, { quietLog }] = await Promise.all([
    import('./wire.ts'),
    import('./agent/agent.ts'),
    import('./agent/measures.ts'),
    import('./agent/log.ts'),
    import('./agent/quiet-log.ts'),
  ]);
  // What an operator looks for with pgrep.
  await nameProcess('flannelctl');
  const world = await openWorld({ root: input.root });
  const { host, clock } = world;
  const selection = await selectNodeStore(settings.options, host);
  const store = await world.openStore(selection, { secrets, timeoutMs });
  const log = quietLog(logfmt(clock, input.say, { debug: input.debug }), clock);
  const [writer, resident] = await Promise.all([world.writer(), world.resident()]);
  const measures = promMeasures();
  const kube =
    selection.kind === 'kube' && input.setsCondition
      ? await world.openKube(selection, { secrets, timeoutMs })
      : undefined;
  const announce = async () => {
    const name = await store.assigned?.ownKey();
    if (name !== undefined) await kube?.patchNodeStatus(name, { condition: networkIsUp(clock.now()) });
  };
  const announcing = kube === undefined ? {} : { announce };
  const parts = { host, clock, writer, resident, store, log, measures, ...announcing };
  try {
    return await runAgent(parts, { ...settings, prefix: prefixOf(selection) }, signal);
  } finally {
    await kube?.close();
    await store.close();
  }
}

/** In flannel's words (flannel pkg/subnet/kube). */
function networkIsUp(at: number): NodeConditionPatch {
  return {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'FlannelIsUp',
    message: 'Flannel is running on this node',
    at,
  };
}

/** What of the datastore is used; a state file of another part is not ours. */
export function prefixOf(selection: StoreSelection): string {
  switch (selection.kind) {
    case 'etcd':
      return selection.prefix;
    case 'kube':
      return selection.annotationPrefix;
    case 'file':
      return selection.path;
  }
}
