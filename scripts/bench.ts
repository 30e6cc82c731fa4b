import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './registry.ts';

// Runs every benchmark of bench/, or those named, one after the other. Those in namespaces need root.

/** What benchmarks have in common. */
const SHARED = ['measure', 'overlay', 'agent-process', 'fleet-nodes', 'seed-etcd', 'throughput'];
const wanted = process.argv.slice(2);
const names = globSync('*.ts', { cwd: join(ROOT, 'bench') })
  .map((name) => name.slice(0, -'.ts'.length))
  .filter((name) => (wanted.length === 0 ? !SHARED.includes(name) : wanted.includes(name)))
  .sort();
for (const name of names) {
  process.stdout.write(`\n── ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(ROOT, 'bench', `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
