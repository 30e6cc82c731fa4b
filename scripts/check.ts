import { runStep, type Step, type StepResult } from './steps.ts';

const TYPES: Step = { name: 'types', argv: ['tsc', '-p', 'tsconfig.json'] };
const STYLE: Step = { name: 'lint and format', argv: ['biome', 'ci', '--colors=off', '--error-on-warnings', '.'] };
const RULES: Step = {
  name: 'architecture and pages',
  argv: ['vitest', 'run', 'test/architecture.test.ts', 'test/contracts/pages.test.ts', '--reporter=dot'],
};

/** The gate. `rules: false` where all suites run anyway. Prints a line a step, and all that a failed one said. */
export async function check({ rules }: { readonly rules: boolean }): Promise<boolean> {
  const generated = await runStep({ name: 'generate', argv: ['node', 'scripts/generate.ts'] });
  show(generated);
  if (!generated.ok) return false;
  const results = await Promise.all([TYPES, STYLE, ...(rules ? [RULES] : [])].map(runStep));
  results.forEach(show);
  return results.every((result) => result.ok);
}

function show({ name, ok, output, seconds }: StepResult): void {
  process.stdout.write(`${ok ? '✔' : '✖'} ${name} (${seconds.toFixed(1)} s)\n`);
  if (!ok) process.stdout.write(`${output.trimEnd()}\n`);
}

if (import.meta.main) process.exitCode = (await check({ rules: true })) ? 0 : 1;
