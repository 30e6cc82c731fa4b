import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { sh } from './foreign-objects.ts';
import { eventually, type LabNode } from './lab.ts';

/** What the promise says of any drift. */
const PROMISED_MS = 1000;

/**
 * On a loaded machine everything takes longer, our own look too: a shell with five programs, 25 ms on a quiet one. A repair is a few times that
 * work (look, plan, apply, look again); where a look takes longer, forty of them count in place of the second.
 */
const LOOKS = 40;

const MOST_ATTEMPTS = 5;

/** Drift upon drift is a fight, in which the agent rests between its rounds. */
const APART_MS = 1500;

/** `FLANNELCTL_REPEAT=5`: each is measured that often and a table is printed. */
const REPEAT = Number(process.env['FLANNELCTL_REPEAT'] ?? 0);

export interface Drift {
  /** What is done to the node. */
  readonly act: () => Promise<unknown>;
  /** All that has to be as it was. */
  readonly look: () => Promise<readonly string[]>;
}

interface Repair {
  readonly tookMs: number;
  readonly allowedMs: number;
}

const measured = new Map<string, readonly Repair[]>();

/** Makes the drift until it was repaired in time once, and expects that it was. */
export async function expectRepair(what: string, drift: Drift): Promise<void> {
  const before = await drift.look();
  const repairs: Repair[] = [];
  const isInTime = () => repairs.some(({ tookMs, allowedMs }) => tookMs < allowedMs);
  while (repairs.length < REPEAT || (!isInTime() && repairs.length < MOST_ATTEMPTS)) {
    if (repairs.length > 0) await pause(APART_MS);
    repairs.push(await repair(drift, before));
  }
  measured.set(what, repairs);
  if (!isInTime()) expect(repairs).toBe(`one of them in time: ${what}`);
}

async function repair({ act, look }: Drift, before: readonly string[]): Promise<Repair> {
  await act();
  const changedAt = Date.now();
  let looks = 0;
  await eventually(async () => {
    looks += 1;
    expect(await look()).toEqual(before);
  }, 20_000);
  const tookMs = Date.now() - changedAt;
  return { tookMs, allowedMs: Math.max(PROMISED_MS, (LOOKS * tookMs) / looks) };
}

/** Prints what was measured, where it was asked for. */
export function tellRepairs(): void {
  if (REPEAT === 0) return;
  for (const [what, repairs] of measured) {
    const sorted = repairs.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    console.log(`${what}: median ${sorted[Math.floor(sorted.length / 2)]} ms, most ${sorted.at(-1)} ms`);
  }
}

/** The overlay's part of the kernel, in one process: the time that looking takes counts as time that repairing took. */
export async function kernelOf(node: LabNode): Promise<readonly string[]> {
  const listing = await sh(
    node,
    `ip -d -o link show flannel.1 2>/dev/null || true
ip -o -4 addr show dev flannel.1 2>/dev/null || true
ip route show
ip neigh show nud permanent
bridge fdb show dev flannel.1 2>/dev/null || true`,
  );
  return listing
    .split('\n')
    .map((line) =>
      line
        .replace(/^\d+: /, '')
        .replaceAll('\\', ' ')
        .replace(/ (qdisc|state|qlen|group) \S+/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '' && !/^(fe80|33:33|01:00)/.test(line))
    .sort();
}
