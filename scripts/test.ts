import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from './check.ts';
import { runStep, runVisible } from './steps.ts';

// npm test: the gate, the executable, all suites, once. The gate and the build count as one test each.

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be loaded have no tests that could fail. */
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const checked = await check({ rules: false });
const built = await runStep({ name: 'build', argv: ['node', 'scripts/build.ts'] });
process.stdout.write(`${built.ok ? '✔' : '✖'} build (${built.seconds.toFixed(1)} s)\n${built.ok ? '' : built.output}`);
const folder = mkdtempSync(join(tmpdir(), 'flannelctl-test-'));
try {
  const report = join(folder, 'report.json');
  const argv = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`] as const;
  const code = await runVisible({ name: 'suites', argv: [...argv, ...process.argv.slice(2)] });
  const counts: Counts = JSON.parse(readFileSync(report, 'utf8'));
  const failed = say(counts, [checked, built.ok]);
  process.exitCode = code === 0 && failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** The last line, for readers that know no test runner. */
function say(counts: Counts, steps: readonly boolean[]): number {
  const broken = counts.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = counts.numFailedTests + broken.length + steps.filter((ok) => !ok).length;
  const passed = counts.numPassedTests + steps.filter((ok) => ok).length;
  const skipped = counts.numPendingTests + counts.numTodoTests;
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  return failed;
}
