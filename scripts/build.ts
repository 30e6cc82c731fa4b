import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { bundleChunks, bundleMain, writeChunks } from './build/bundle.ts';
import { makeExecutable } from './build/sea.ts';
import './generate.ts';
import { ROOT } from './registry.ts';

const userAgent = `${packageJson.name}/${packageJson.version} ${process.platform}-${process.arch}`;
const [chunks, main] = await Promise.all([bundleChunks(ROOT), bundleMain(ROOT, userAgent)]);
mkdirSync(join(ROOT, 'dist'), { recursive: true });
writeChunks(join(ROOT, 'dist/lib'), chunks);
const folder = mkdtempSync(join(tmpdir(), 'flannelctl-build-'));
try {
  makeExecutable({ folder, node: process.execPath, main, chunks, output: join(ROOT, 'dist/flannelctl') });
} finally {
  rmSync(folder, { recursive: true });
}
