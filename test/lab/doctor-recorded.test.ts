import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/doctor/report.ts';
import { document, first, onMachine, report, rootsOf } from './doctor-lab.ts';
import { type Lab, openLab, PROGRAM } from './drill-lab.ts';

const FAULTS = [
  'flannel-link-missing',
  'arp-stale-nobody',
  'subnet-env-stale-copied',
  'vxlan-port-blocked-nft-set',
  'underlay-unreachable',
  'flanneld-not-running',
];

let lab: Lab;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flannelctl-recorded-'));
  chmodSync(folder, 0o755);
  lab = await openLab({ nodes: 2 });
});
afterAll(async () => {
  await lab.remove();
  rmSync(folder, { recursive: true });
});

async function recordAndReplay(name: string): Promise<readonly [live: DoctorReport, replayed: DoctorReport]> {
  const path = join(folder, `${name}.json`);
  const live = await report(first(lab), '--record', path);
  chmodSync(path, 0o644);
  return [live, document({ stdout: replay(path, '-o', 'json').stdout })];
}

/** With no rights, no environment and no network. */
function replay(path: string, ...words: readonly string[]) {
  const nobody = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--no-new-privs'];
  const argv = ['--net', ...nobody, PROGRAM, 'doctor', '--replay', path, ...words];
  return spawnSync('unshare', argv, { encoding: 'utf8', env: {}, timeout: 20_000 });
}

/** What was found, without how long it took to find it. */
function diagnosis({ run: _run, checks, ...rest }: DoctorReport) {
  return { ...rest, checks: checks.map(({ durationMs: _durationMs, ...check }) => check) };
}

describe('a recorded run', () => {
  it('of a healthy node is healthy elsewhere', async () => {
    const [live, replayed] = await recordAndReplay('healthy');
    expect(diagnosis(replayed)).toEqual(diagnosis(live));
    expect([replayed.verdict.exitCode, replayed.run.source, replayed.run.startedAt]).toEqual([
      0,
      'recorded',
      live.run.startedAt,
    ]);
  });

  it.each(FAULTS)('of a node with %s is the same diagnosis elsewhere', async (fault) => {
    onMachine(['drill', 'break', fault, '--tag', lab.record.tag]);
    const [live, replayed] = await recordAndReplay(fault);
    onMachine(['drill', 'heal', fault, '--tag', lab.record.tag]);
    expect(rootsOf(live).length).toBeGreaterThan(0);
    expect(diagnosis(replayed)).toEqual(diagnosis(live));
  });

  it('can be told in another language', () => {
    const { stdout } = replay(join(folder, 'flanneld-not-running.json'), '--lang', 'zh');
    expect(stdout).toContain('FIX flanneld-not-running: ');
    expect(stdout).toMatch(/^\[FAIL\] flanneld-not-running root: .*[\u4e00-\u9fff]/m);
  });

  it('can be repaired by nobody', () => {
    const { status, stderr } = replay(join(folder, 'arp-stale-nobody.json'), '--fix', '--yes');
    expect([status, stderr]).toEqual([2, expect.stringContaining('a recorded host cannot be repaired')]);
  });

  it.each([
    ['junk', 'it is not JSON'],
    ['{}', 'no recording of flannelctl'],
  ])('that is %s is bad input', (text, said) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    const { status, stderr } = replay(path);
    expect([status, stderr]).toEqual([65, expect.stringContaining(said)]);
  });

  it('holds no answer that was cut off: it is replayed as unknown, never as healthy', async () => {
    const recording = JSON.parse(readFileSync(join(folder, 'healthy.json'), 'utf8'));
    const path = join(folder, 'cut.json');
    writeFileSync(path, JSON.stringify({ ...recording, calls: {} }));
    expect(replay(path).status).not.toBe(0);
  });
});
