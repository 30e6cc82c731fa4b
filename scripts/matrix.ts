import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillMatrix } from '../src/drill/matrix.ts';
import { renderMatrixMarkdown } from '../src/drill/matrix-text.ts';
import { ROOT } from './registry.ts';

// Writes docs/detection-matrix.md: every fault, over both stores, by the executable as it was built. Needs root.

const matrices = ['file', 'etcd'].map(run);
writeFileSync(join(ROOT, 'docs/detection-matrix.md'), renderMatrixMarkdown(matrices));

function run(store: string): DrillMatrix {
  const argv = ['drill', 'run', '--store', store, '-o', 'json', ...process.argv.slice(2)];
  const ended = spawnSync(join(ROOT, 'dist/flannelctl'), argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const document: DrillMatrix | { kind: 'Error' } = JSON.parse(ended.stdout);
  if (document.kind !== 'DrillMatrix') throw new Error(`drill run with the ${store} store gave no matrix`);
  return document;
}
