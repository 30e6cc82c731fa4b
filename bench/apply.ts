import { spawnSync } from 'node:child_process';
import { applyPlan } from '../src/dataplane/apply.ts';
import { renderPlan } from '../src/dataplane/batch.ts';
import type { OverlayPlan } from '../src/dataplane/entry.ts';
import { observeOverlay } from '../src/dataplane/observe.ts';
import { planOverlay } from '../src/dataplane/plan.ts';
import { liveHost, liveWriter } from '../src/host/live.ts';
import { median } from './measure.ts';
import { overlayOf, PEERS } from './overlay.ts';

const RUNS = 7;
const AIM = 1.3;

/** Given to the child that runs in a network namespace of its own, which goes away with it. */
const INSIDE = '--inside';

const desired = overlayOf(PEERS);
const [host, writer] = [liveHost({ root: '/' }), liveWriter({ root: '/' })];

if (process.argv.includes(INSIDE)) await compare();
else process.exitCode = runInside();

function runInside(): number {
  const args = ['--net', '--', process.execPath, import.meta.filename, INSIDE];
  return spawnSync('unshare', args, { stdio: 'inherit' }).status ?? 1;
}

/** In turns; each on a fresh underlay, so that both begin with an empty kernel. */
async function compare(): Promise<void> {
  const plan = await replan();
  const lines = renderPlan(plan);
  const times = { direct: [] as number[], applied: [] as number[] };
  for (let turn = 0; turn <= RUNS; turn += 1) {
    const direct = await timed(async () => feedDirectly(lines));
    const applied = await timed(async () => void (await applyPlan({ writer, plan, reobserve: replan })));
    if (turn > 0) {
      times.direct.push(direct);
      times.applied.push(applied);
    }
  }
  const [direct, applied] = [median(times.direct), median(times.applied)];
  console.log(`${lines.length} lines to ip -batch and bridge -batch directly   ${direct.toFixed(0)} ms`);
  console.log(
    `applyPlan, reading back included                      ${applied.toFixed(0)} ms   ${(applied / direct).toFixed(2)}x   (aim ${AIM}x)`,
  );
}

async function replan(): Promise<OverlayPlan> {
  return planOverlay(desired, await observeOverlay(host), { removals: true });
}

function feedDirectly(lines: readonly string[]): void {
  const isFdb = (line: string) => line.startsWith('bridge ');
  const links = lines.filter((line) => /^ip (link|address) /.test(line));
  const others = lines.filter((line) => !isFdb(line) && !links.includes(line));
  for (const [tool, part] of [
    ['ip', links],
    ['bridge', lines.filter(isFdb)],
    ['ip', others],
  ] as const) {
    const input = part.map((line) => line.slice(tool.length + 1)).join('\n');
    must(tool, ['-batch', '-'], input);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  for (const line of [
    'link add u0 type veth peer name u1',
    'link set u0 up',
    'link set u1 up',
    'addr add 172.16.0.1/12 dev u0',
  ]) {
    must('ip', line.split(' '));
  }
  const startedAt = performance.now();
  await work();
  const took = performance.now() - startedAt;
  must('ip', ['link', 'del', 'u0']);
  return took;
}

function must(program: string, args: readonly string[], input?: string): void {
  const { status, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
