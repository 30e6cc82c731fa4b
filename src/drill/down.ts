import { AbsentError, UnavailableError } from '../errors.ts';
import { type FoundHolder, findHolders } from './holder.ts';
import { DRILL_ROOT, stateDirectory } from './layout.ts';
import { listTags } from './record.ts';
import { type DrillTools, waitFor } from './tools.ts';

type Removing = Pick<DrillTools, 'host' | 'writer' | 'clock'>;

/** Ends every process of the drill, and with them its namespaces and mounts, and removes its directory. */
export async function removeDrill(tools: Removing, tag: string): Promise<void> {
  await endHolders(tools, tag);
  await tools.writer.remove(stateDirectory(tag));
  // The directories above, when no other drill and nobody else is in them.
  await tools.writer.run(['rmdir', '--ignore-fail-on-non-empty', '--parents', DRILL_ROOT]);
}

/** Every drill there is a trace of: a directory or a process. */
export async function findDrills({ host }: Pick<Removing, 'host'>): Promise<readonly string[]> {
  const holders = await findHolders(host);
  return [...new Set([...(await listTags(host)), ...holders.map(({ tag }) => tag)])].sort();
}

/**
 * The first process of a pid namespace takes all others with it. Looked for again until none is left: one that was just being
 * started when its siblings were killed ends too.
 */
async function endHolders(tools: Removing, tag: string): Promise<void> {
  const unhindered = { clock: tools.clock, signal: new AbortController().signal };
  const killed = new Set<number>();
  const gone = await waitFor(unhindered, { timeoutMs: 10_000, everyMs: 20 }, async () => {
    const own = (await findHolders(tools.host)).filter((holder) => holder.tag === tag);
    await Promise.all(own.map((holder) => kill(tools, holder)));
    for (const { pid } of own) killed.add(pid);
    return own.length === 0 ? true : undefined;
  });
  if (gone === undefined) throw new UnavailableError('timeout', `processes of the drill ${tag} do not end`);
  // Their parent is the machine's first process, which takes its time to reap them; it is not waited for longer than this.
  await waitFor(unhindered, { timeoutMs: 2000, everyMs: 20 }, async () => {
    const left = await Promise.all([...killed].map((pid) => isThere(tools.host, `/proc/${pid}`)));
    return left.includes(true) ? undefined : true;
  });
}

async function isThere(host: Removing['host'], path: string): Promise<boolean> {
  try {
    await host.stat(path);
    return true;
  } catch (error) {
    if (error instanceof AbsentError) return false;
    throw error;
  }
}

async function kill({ writer }: Removing, { pid }: FoundHolder): Promise<void> {
  try {
    await writer.signal(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error;
  }
}
