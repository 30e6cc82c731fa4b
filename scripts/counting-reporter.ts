import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Writes how the tests ended to the file that COUNTS_FILE names. A file that could not be loaded is one failed test. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const count = (state: string) => states.filter((one) => one === state).length;
    const failed = count('failed') + broken + errors.length;
    const counts: Counts = { passed: count('passed'), failed, skipped: count('skipped') + count('pending') };
    writeFileSync(process.env['COUNTS_FILE'] ?? '', JSON.stringify(counts));
  }
}
