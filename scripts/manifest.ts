import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from '@oclif/core';
import { commandId, filesOf, ROOT, write } from './registry.ts';

type CacheCommand = (command: Command.Class, plugin: undefined, respectNoCacheDefault: boolean) => Promise<object>;

/**
 * Writes src/generated/manifest.ts: flags, arguments and help of every command, so that none has to be loaded to find
 * the one that was called. Imports every command, so the rest of src/generated must have been written before.
 */
export async function generateManifest(root: string = ROOT): Promise<void> {
  const entries: [string, object][] = [];
  for (const file of filesOf(root, 'src/commands/**/*.ts')) entries.push([commandId(file), await describe(root, file)]);
  write(root, 'manifest.ts', manifestModule(JSON.stringify(Object.fromEntries(entries))));
}

async function describe(root: string, file: string): Promise<object> {
  const module: { default?: Command.Class } = await import(pathToFileURL(join(root, file)).href);
  if (module.default === undefined) throw new Error(`${file} has no default export`);
  const described = await oclifsCache()(module.default, undefined, true);
  return { ...described, id: commandId(file) };
}

/** oclif exports no way to describe a class that was found without its plugin loader: taken from its own folder. */
function oclifsCache(): CacheCommand {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@oclif/core'));
  const module: { cacheCommand: CacheCommand } = require(join(folder, 'util/cache-command.js'));
  return module.cacheCommand;
}

function manifestModule(json: string): string {
  return `// Written by scripts/manifest.ts from the commands' classes.
import type { Command } from '@oclif/core';

/** By id. Parsed when it is loaded: a JSON text starts faster than the object literal. */
export const manifest: Readonly<Record<string, Command.Cached>> = JSON.parse(
  ${JSON.stringify(json)},
);
`;
}
