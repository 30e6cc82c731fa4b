import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { measureProcesses, printMeasured } from './measure.ts';

// A passive doctor on a healthy node of a real overlay, against a shell script that reads the same sources one after the other. Both look
// at every process: first with the handful that a namespaced node has, then with as many as an idle Kubernetes node. Needs root.

const PROCESSES = 150;
const flannelctl = process.argv[2] ?? join(import.meta.dirname, '../dist/flannelctl');
const script = readFileSync(join(import.meta.dirname, 'read-sources.sh'), 'utf8');
const drillSchema = v.object({ tag: v.string() });

const { tag } = v.parse(drillSchema, JSON.parse(drill('up', '--nodes', '3', '--store', 'etcd', '-o', 'json')));
const inNode = ['drill', 'exec', '--tag', tag, '1', '--'] as const;
try {
  compare('a handful of processes');
  execFileSync(flannelctl, [...inNode, 'sh', '-c', `for i in $(seq ${PROCESSES}); do sleep 600 & done`], {
    stdio: 'ignore',
  });
  compare(`${PROCESSES} processes more`);
} finally {
  drill('down', '--tag', tag);
}

function compare(scene: string): void {
  process.stdout.write(`${scene}\n`);
  const measured = measureProcesses(
    [
      { name: 'the sources one after the other', argv: [flannelctl, ...inNode, 'sh', '-c', script] },
      { name: 'doctor --probe passive', argv: [flannelctl, ...inNode, flannelctl, 'doctor', '--probe', 'passive'] },
      { name: 'doctor, with probes', argv: [flannelctl, ...inNode, flannelctl, 'doctor'] },
      { name: 'entering the node alone', argv: [flannelctl, ...inNode, 'true'] },
    ],
    11,
  );
  printMeasured(measured, { 'doctor --probe passive': 1 });
}

function drill(...args: readonly string[]): string {
  return execFileSync(flannelctl, ['drill', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
