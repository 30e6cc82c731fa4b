#!/usr/bin/env node
// Runs src as it stands, by Node's type stripping. Needs the dependencies of development: npm run setup.
import { requireNode24 } from './node-version.js';

requireNode24();
await import('../scripts/generate.ts');
const { main } = await import('../src/cli.ts');
await main(process.argv.slice(2));
