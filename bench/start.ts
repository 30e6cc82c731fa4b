import { join } from 'node:path';
import { measureProcesses, printMeasured } from './measure.ts';

// How long the executable takes to start, against Node doing nothing. Build it first.

const flannelctl = process.argv[2] ?? join(import.meta.dirname, '../dist/flannelctl');

const measured = measureProcesses(
  [
    { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
    { name: 'flannelctl version', argv: [flannelctl, 'version'] },
    { name: 'flannelctl checks', argv: [flannelctl, 'checks'] },
    { name: 'flannelctl --help', argv: [flannelctl, '--help'] },
  ],
  25,
);
printMeasured(measured, { 'flannelctl version': 1.2, 'flannelctl checks': 1.7 });
