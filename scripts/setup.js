// Makes a fresh clone ready, then runs the step it was given on the checkout's own Node:
//   node scripts/setup.js [--system] [STEP.ts [ARGUMENT…]]
// Plain JavaScript for Node 20, because this is what runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installSystemPackages } from './setup/debian.js';
import { installModules, NODE_MAJOR, ownNode } from './setup/modules.js';

const ROOT = dirname(import.meta.dirname);

const words = process.argv.slice(2);
const needsSystem = words[0] === '--system';
const [step, ...args] = needsSystem ? words.slice(1) : words;

if (needsSystem) installSystemPackages();
installModules(ROOT);
requireNode(ownNode(ROOT));
if (step !== undefined) handOver(ownNode(ROOT), [join(ROOT, step), ...args]);

/** Nothing of this project may run by mistake on the Node that happens to be installed. */
function requireNode(node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (stdout?.startsWith(`v${NODE_MAJOR}.`)) return;
  process.stderr.write(`Error: ${node} is not Node ${NODE_MAJOR}: ${stdout?.trim() || 'it does not run here'}\n`);
  process.exit(1);
}

/** The step gets our signals, and we end as it ends. */
function handOver(node, argv) {
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const child = spawn(node, argv, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH: path } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}
