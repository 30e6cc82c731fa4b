import { GROUPS } from '../src/doctor/check.ts';
import { scaffold } from './new-check/scaffold.ts';
import { generateRegistry, ROOT } from './registry.ts';

// npm run new-check GROUP ID

const [group, id] = process.argv.slice(2);
if (id === undefined || !GROUPS.some((known) => known === group) || group === undefined) {
  process.stderr.write(`Usage: npm run new-check GROUP ID\nGROUP is one of ${GROUPS.join(', ')}.\n`);
  process.exitCode = 64;
} else {
  const files = scaffold(ROOT, { group, id });
  generateRegistry();
  process.stdout.write(`${files.join('\n')}\n\nEvery UNWRITTEN in them fails a test: npx vitest run -t ${id}\n`);
}
