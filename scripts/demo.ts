import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './registry.ts';
import { runStep } from './steps.ts';

// npm run demo: a real overlay comes up on this machine, one thing in it is broken, found, repaired. Nothing is left behind.

const FLANNELCTL = join(ROOT, 'dist/flannelctl');
const FAULT = 'fdb-missing';

interface Cluster {
  readonly tag: string;
  readonly nodes: readonly { readonly name: string; readonly publicIP: string; readonly subnet: string }[];
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
// A reader that goes away ends it, but not without the cleaning up.
process.stdout.on('error', () => interruption.abort());

if (process.getuid?.() !== 0) {
  process.stderr.write('Error: the demo makes network namespaces, and that needs root: sudo npm run demo\n');
  process.exitCode = 77;
} else {
  const built = await runStep({ name: 'build', argv: ['node', 'scripts/build.ts'] });
  if (!built.ok) process.stderr.write(built.output);
  process.exitCode = built.ok ? await demo() : 1;
}

async function demo(): Promise<number> {
  const startedAt = performance.now();
  say('Three nodes with a vxlan overlay, each in namespaces of its own on this machine');
  const up = await run(['drill', 'up', '--nodes', '3', '-o', 'json']);
  if (up.code !== 0) return up.code ?? 1;
  const { tag, nodes }: Cluster = JSON.parse(up.stdout);
  for (const { name, publicIP, subnet } of nodes) process.stdout.write(`${name}  ${publicIP}  ${subnet}\n`);
  try {
    await story(tag);
  } finally {
    say('Everything is taken away again');
    await cleanUp(tag);
  }
  if (interruption.signal.aborted) return 130;
  process.stdout.write(`\nThe whole demo took ${((performance.now() - startedAt) / 1000).toFixed(0)} s.\n`);
  return 0;
}

/** @throws {Error} when a step ends otherwise than told; that is a bug. */
async function story(tag: string): Promise<void> {
  const inNode = (...words: string[]) => ['drill', 'exec', '1', '--tag', tag, '--', 'flannelctl', ...words];
  say('Node 1 is healthy');
  await step(inNode('doctor'), 0);
  say('One thing breaks');
  await step(['drill', 'break', FAULT, '--node', '1', '--tag', tag], 0);
  say('What does doctor say?');
  await step(inNode('doctor'), 1);
  say('It may repair that itself');
  await step(inNode('doctor', '--fix', '--yes'), 0);
  say('Node 1 is healthy again');
  await step(inNode('doctor'), 0);
}

async function step(words: readonly string[], expected: number): Promise<void> {
  if (interruption.signal.aborted) return;
  const { code } = await run(words, 'inherit');
  if (interruption.signal.aborted || code === expected) return;
  throw new Error(`flannelctl ${words.join(' ')} ended with ${code}, not ${expected}`);
}

/** In a process group of its own, which Ctrl-C does not reach. */
function cleanUp(tag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(FLANNELCTL, ['drill', 'down', '--tag', tag], { stdio: 'inherit', detached: true });
    child.on('error', reject);
    child.on('close', () => resolve());
  });
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

function run(words: readonly string[], stdout: 'pipe' | 'inherit' = 'pipe'): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(FLANNELCTL, words, { stdio: ['inherit', stdout, 'inherit'] });
    let text = '';
    child.stdout?.on('data', (data) => {
      text += data;
    });
    const stop = () => child.kill('SIGINT');
    interruption.signal.addEventListener('abort', stop);
    child.on('error', reject);
    child.on('close', (code) => {
      interruption.signal.removeEventListener('abort', stop);
      resolve({ code, stdout: text });
    });
  });
}

function say(sentence: string): void {
  if (interruption.signal.aborted) return;
  process.stdout.write(`\n── ${sentence} ${'─'.repeat(Math.max(0, 84 - sentence.length))}\n\n`);
}
