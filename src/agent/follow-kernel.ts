import { isFlannelDevice } from '../dataplane/device.ts';
import { FlannelctlError } from '../errors.ts';
import type { Argv } from '../host/host.ts';
import type { Board } from './board.ts';
import { problemText } from './problem.ts';
import { pause } from './waker.ts';

/** Forwarding entries of a vxlan device are neighbours to the kernel, too: `neigh` shows them (iproute2 6.1, Linux 6.18). */
const MONITOR: Argv = ['ip', '-o', 'monitor', 'label', 'link', 'address', 'route', 'neigh'];

const RETRY_MS = 1000;

/** Wakes the agent when the kernel changes something it looks after; until `signal` aborts. */
export async function followKernel(board: Board, signal: AbortSignal): Promise<void> {
  const { resident, clock, log } = board.parts;
  const onLine = (line: string) => {
    if (concernsUs(line, board.underlay.device)) board.look.ring('kernel');
  };
  while (!signal.aborted) {
    const isOver = new AbortController();
    try {
      const following = resident.follow(MONITOR, onLine, AbortSignal.any([signal, isOver.signal]));
      // What changed before it listened was not told.
      board.look.ring('kernel');
      await following;
      if (!signal.aborted) log.warn('ip monitor ended; it is started again');
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
      log.warn('changes of the kernel are seen late', { error: problemText(error) });
    }
    isOver.abort();
    await pause(clock, RETRY_MS, signal);
  }
}

/** Whether a line of the monitor is about our devices or the underlay. The underlay's own neighbours come and go all the time. */
export function concernsUs(line: string, underlay: string): boolean {
  if (/^\[ROUTE\](?:Deleted )?blackhole /.test(line)) return true;
  const device = deviceOf(line);
  if (device === undefined) return false;
  if (isFlannelDevice(device)) return true;
  return device === underlay && !line.startsWith('[NEIGH]');
}

/** `[LINK]4: flannel.1@eth0: <…`, `[ADDR]Deleted 4: flannel.1    inet …`, `[ROUTE]10.0.0.0/24 via … dev flannel.1 …`. */
function deviceOf(line: string): string | undefined {
  const named = /^\[(?:LINK|ADDR)\](?:Deleted )?\d+: ([^\s:@]+)/.exec(line);
  return named?.[1] ?? / dev (\S+)/.exec(line)?.[1];
}
