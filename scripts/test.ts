import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from './check.ts';
import type { Counts } from './counting-reporter.ts';
import { runStep, runVisible, type Step } from './steps.ts';

// npm test: the gate, the executable, all suites, once. The gate and the build count as one test each.

const checked = await check({ rules: false });
const built = await runStep({ name: 'build', argv: ['node', 'scripts/build.ts'] });
process.stdout.write(`${built.ok ? '✔' : '✖'} build (${built.seconds.toFixed(1)} s)\n${built.ok ? '' : built.output}`);
const folder = mkdtempSync(join(tmpdir(), 'flannelctl-test-'));
try {
  const file = join(folder, 'counts.json');
  const reporters = ['--reporter=default', '--reporter=./scripts/counting-reporter.ts'];
  const argv: Step['argv'] = ['vitest', 'run', ...reporters, ...process.argv.slice(2)];
  const code = await runVisible({ name: 'suites', argv }, { COUNTS_FILE: file });
  const suites: Counts = JSON.parse(readFileSync(file, 'utf8'));
  const failed = say(suites, [checked, built.ok]);
  process.exitCode = code === 0 && failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** The last line, for readers that know no test runner. */
function say(suites: Counts, steps: readonly boolean[]): number {
  const failed = suites.failed + steps.filter((ok) => !ok).length;
  const passed = suites.passed + steps.filter((ok) => ok).length;
  process.stdout.write(
    `${passed} passed, ${failed} failed${suites.skipped > 0 ? `, ${suites.skipped} skipped` : ''}\n`,
  );
  return failed;
}
