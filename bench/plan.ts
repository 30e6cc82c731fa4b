import type { ActualOverlay } from '../src/dataplane/entry.ts';
import { planOverlay } from '../src/dataplane/plan.ts';
import { median } from './measure.ts';
import { inOrder, overlayOf, PEERS } from './overlay.ts';

const RUNS = 15;
const AIM_MS = 100;

const empty: ActualOverlay = { links: [], strangers: {}, addresses: [], neighbours: [], fdb: [], routes: [] };
const [full, drifted] = [overlayOf(PEERS), overlayOf(PEERS / 2)];

// Not in the aim: leases are made desired entries once for each listing.
report('desired overlay of 5,000 leases', () => overlayOf(PEERS).entries.length);
report('plan, kernel in order', () => planOverlay(full, inOrder(full), { removals: true }).operations.length, AIM_MS);
report('plan, kernel empty', () => planOverlay(full, empty, { removals: true }).operations.length, AIM_MS);
report(
  'plan, half of the peers gone',
  () => planOverlay(drifted, inOrder(full), { removals: true }).operations.length,
  AIM_MS,
);

function report(name: string, work: () => number, aimMs?: number): void {
  const times = Array.from({ length: RUNS }, () => {
    const startedAt = performance.now();
    work();
    return performance.now() - startedAt;
  });
  const first = times[0] ?? Number.NaN;
  const aim = aimMs === undefined ? '' : `   (aim ${aimMs} ms)`;
  console.log(`${name.padEnd(32)} ${median(times).toFixed(1).padStart(7)} ms, first ${first.toFixed(1)} ms${aim}`);
}
