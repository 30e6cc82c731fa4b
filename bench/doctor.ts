import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { measureProcesses, printMeasured } from './measure.ts';

// A passive doctor on a healthy node of a real overlay, against a shell script that reads the same sources one after the other.
// Needs root, and the executable.

const flannelctl = process.argv[2] ?? join(import.meta.dirname, '../dist/flannelctl');
const script = join(import.meta.dirname, 'read-sources.sh');
const drillSchema = v.object({ tag: v.string() });

const { tag } = v.parse(drillSchema, JSON.parse(drill('up', '--nodes', '3', '--store', 'etcd', '-o', 'json')));
try {
  const inNode = ['drill', 'exec', '--tag', tag, '1', '--'] as const;
  printMeasured(
    measureProcesses(
      [
        {
          name: 'the sources one after the other',
          argv: [flannelctl, ...inNode, 'sh', '-c', readFileSync(script, 'utf8')],
        },
        {
          name: 'flannelctl doctor --probe passive',
          argv: [flannelctl, ...inNode, flannelctl, 'doctor', '--probe', 'passive'],
        },
        { name: 'flannelctl doctor (with probes)', argv: [flannelctl, ...inNode, flannelctl, 'doctor'] },
        { name: 'entering the node alone', argv: [flannelctl, ...inNode, 'true'] },
      ],
      15,
    ),
    { 'flannelctl doctor --probe passive': 1 },
  );
} finally {
  drill('down', '--tag', tag);
}

function drill(...args: readonly string[]): string {
  return execFileSync(flannelctl, ['drill', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
