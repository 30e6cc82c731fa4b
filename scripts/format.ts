import { runVisible } from './steps.ts';

// npm run format: what the gate would complain about and a tool can mend.

process.exitCode = await runVisible({ name: 'format', argv: ['biome', 'check', '--write', '.'] }, {});
