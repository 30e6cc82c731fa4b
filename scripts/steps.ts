import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './registry.ts';

export interface Step {
  /** What it is called when it fails: `types`. */
  readonly name: string;
  /** Program of node_modules/.bin with its arguments. */
  readonly argv: readonly [program: string, ...args: string[]];
}

export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  /** What it printed, both streams. */
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program of node_modules/.bin under our Node, all output collected. */
export function runStep({ name, argv }: Step): Promise<StepResult> {
  const startedAt = performance.now();
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, 'node_modules/.bin', program), args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.stderr.on('data', (data: Buffer) => output.push(data));
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = (performance.now() - startedAt) / 1000;
      resolve({ name, ok: code === 0, output: Buffer.concat(output).toString(), seconds });
    });
  });
}

/** Runs it with its output on ours and more environment; the result is its exit code. */
export function runVisible({ argv }: Step, env: Readonly<Record<string, string>>): Promise<number> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, 'node_modules/.bin', program), args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
