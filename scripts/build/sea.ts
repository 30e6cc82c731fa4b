import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Chunk } from './bundle.ts';
import { deafenToEnvironment } from './environment.ts';

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export interface ExecutableParts {
  /** Empty; where intermediate files go. */
  readonly folder: string;
  /** The Node that becomes the executable; copied, not touched. */
  readonly node: string;
  readonly main: string;
  readonly chunks: readonly Chunk[];
  readonly output: string;
}

/** Makes one file of Node, the main script, the chunks and V8's cache of each. */
export function makeExecutable({ folder, node, main, chunks, output }: ExecutableParts): void {
  const chunkFolder = join(folder, 'chunks');
  mkdirSync(chunkFolder, { recursive: true });
  const stripped = strippedCopy(node, join(folder, 'node'));
  writeFileSync(join(folder, 'main.cjs'), main);
  for (const { name, code } of chunks) writeFileSync(join(chunkFolder, name), wrapped(code));
  run(stripped, ['--random-seed=1', join(import.meta.dirname, 'warm.ts'), chunkFolder]);
  writeFileSync(join(folder, 'sea.json'), JSON.stringify(seaConfig(chunks)));
  run(stripped, ['--random-seed=1', '--experimental-sea-config', 'sea.json'], folder);
  injectBlob(stripped, join(folder, 'sea.blob'), output);
}

/** Before the injection only: stripping the finished executable destroys it. */
function strippedCopy(node: string, copy: string): string {
  copyFileSync(node, copy);
  chmodSync(copy, 0o755);
  run('strip', [copy]);
  deafenToEnvironment(copy);
  return copy;
}

/** As CommonJS wraps a file, except that it returns its exports; there is no file to be told the name of. */
function wrapped(code: string): string {
  const preamble = `"use strict";var exports=module.exports,__filename="/flannelctl/chunk",__dirname="/flannelctl";`;
  return `(function(module,require){${preamble}${code}\nreturn module.exports})`;
}

/** Paths relative to the build folder: that of main is stored in the blob. */
function seaConfig(chunks: readonly Chunk[]): object {
  const assets = chunks.flatMap(({ name }) => [name, `${name}.cache`]).map((name) => [name, `chunks/${name}`]);
  return {
    main: 'main.cjs',
    output: 'sea.blob',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    // OPENSSL_CONF could name a module to load into the process.
    execArgv: [
      ...['--disable-warning=ExperimentalWarning', '--openssl-config=/dev/null'],
      // Fifty thousand calls leave half a gigabyte of garbage behind with the default of 16 MB, and a third of that with this. From
      // the start, because growing to it takes a sixth of a short command's time.
      ...['--min-semi-space-size=4', '--max-semi-space-size=4'],
    ],
    // Neither NODE_OPTIONS nor --node-options= reach Node.
    execArgvExtension: 'none',
    assets: Object.fromEntries(assets),
  };
}

/** Under another name first, so that nobody runs half an executable. */
function injectBlob(node: string, blob: string, output: string): void {
  const temporary = `${output}.${process.pid}`;
  copyFileSync(node, temporary);
  const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
  run(process.execPath, [postject, temporary, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  renameSync(temporary, output);
}

/** Quiet unless it fails: then the error holds what was said on stderr. */
function run(program: string, args: readonly string[], cwd?: string): void {
  execFileSync(program, [...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}
