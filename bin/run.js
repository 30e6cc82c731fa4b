#!/usr/bin/env node
// Runs what npm run build left in dist/lib, for an installation as a directory with a Node of its own.
import { createRequire } from 'node:module';
import { requireNode24 } from './node-version.js';

requireNode24();
const { main } = createRequire(import.meta.url)('../dist/lib/cli.cjs');
await main(process.argv.slice(2));
