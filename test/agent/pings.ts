import { spawn } from 'node:child_process';
import { type FaultLab, overlayAddress } from './fault-lab.ts';

/** Pings with sequence numbers over the overlay, all the while, from each node to the next. */
export interface Traffic {
  /** Ends it: packets that were not answered, or answered twice, as `0→1 seq 17`. Fails when there was hardly any traffic. */
  missing(): Promise<readonly string[]>;
}

const INTERVAL_MS = 50;

export async function startTraffic(lab: FaultLab): Promise<Traffic> {
  const startedAt = Date.now();
  const addresses = await Promise.all(lab.nodes.map(overlayAddress));
  const pings = lab.nodes.map(({ namespace }, index) => {
    const to = (index + 1) % lab.nodes.length;
    const args = ['netns', 'exec', namespace.name, 'ping', '-n', '-i', String(INTERVAL_MS / 1000), addresses[to] ?? ''];
    const child = lab.track(spawn('ip', args, { stdio: ['ignore', 'pipe', 'ignore'] }));
    let output = '';
    child.stdout?.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    return { name: `${index}→${to}`, child, ended, output: () => output };
  });
  const missing = async () => {
    const lastedMs = Date.now() - startedAt;
    for (const { child } of pings) child.kill('SIGINT');
    await Promise.all(pings.map(({ ended }) => ended));
    return pings.flatMap(({ name, output }) => gapsOf(output(), lastedMs).map((gap) => `${name} ${gap}`));
  };
  return { missing };
}

/** The last two may have been on their way when it was ended. A machine under load sends fewer than it was told to, but not a quarter. */
function gapsOf(output: string, lastedMs: number): readonly string[] {
  const sent = Number(/(\d+) packets transmitted/.exec(output)?.[1] ?? 0);
  const answers = new Map<number, number>();
  for (const [, seq] of output.matchAll(/^\d+ bytes from .* icmp_seq=(\d+)/gm))
    answers.set(Number(seq), (answers.get(Number(seq)) ?? 0) + 1);
  if (sent < lastedMs / INTERVAL_MS / 4) return [`only ${sent} packets in ${lastedMs} ms`];
  return Array.from({ length: Math.max(0, sent - 2) }, (_, index) => index + 1)
    .filter((seq) => answers.get(seq) !== 1)
    .map((seq) => `seq ${seq} of ${sent}`);
}
