import { PEERS_VARIABLE } from './drill/flanneld.ts';
import { standIn } from './drill/stand-in.ts';
import { openDrillTools } from './drill-world.ts';
import { failureOf } from './failure.ts';
import { nameProcess } from './wire.ts';

/**
 * What the executable does when it is started under the name flanneld, in a node of a drill: programs the node once, then sleeps
 * until a signal ends it, which leaves everything in place. Never throws.
 */
export async function runStandIn(argv: readonly string[]): Promise<void> {
  try {
    await nameProcess('flanneld');
    const tools = await openDrillTools(new AbortController().signal);
    const peers = Number(process.env[PEERS_VARIABLE] ?? 1);
    await standIn(argv, { ...tools, peers, log: (line) => process.stderr.write(`${line}\n`) });
    for (;;) await tools.clock.sleep(LONGEST_TIMER_MS);
  } catch (error) {
    const failure = failureOf(error, { debug: false });
    process.stderr.write(`${failure.text}\n`);
    process.exitCode = failure.exitCode;
  }
}

/** setTimeout's limit. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
