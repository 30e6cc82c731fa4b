import type { Command, Interfaces } from '@oclif/core';
import { commands as loaders } from './generated/commands.ts';
import { manifest } from './generated/manifest.ts';

/**
 * oclif's root plugin with everything in it: nothing is looked up on disk, where an executable has no files of its own.
 * A command is loaded when it runs, not when its help is shown.
 */
export function embeddedPlugin(pjson: Interfaces.PJSON): Interfaces.Plugin {
  const plugin: Interfaces.Plugin = {
    _base: '',
    alias: pjson.name,
    name: pjson.name,
    version: pjson.version,
    pjson,
    root: EMBEDDED_ROOT,
    options: { root: EMBEDDED_ROOT, pjson },
    commandIDs: Object.keys(manifest),
    commands: Object.entries(manifest).map(([id, cached]) => ({ ...cached, ...owner(pjson), load: () => load(id) })),
    commandsDir: undefined,
    hasManifest: true,
    hooks: {},
    isRoot: true,
    moduleType: 'module',
    topics: Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({ ...topic, name })),
    type: 'core',
    valid: true,
    load: async () => undefined,
    findCommand: load,
  };
  async function load(id: string): Promise<Command.Class> {
    const loader = loaders[id];
    if (loader === undefined) throw new Error(`the manifest names the command ${id}, which nothing loads`);
    const command = (await loader()).default;
    command.id = id;
    command.plugin = plugin;
    return command;
  }
  return plugin;
}

/** No such directory: whatever oclif would look for beside the program is not found. */
export const EMBEDDED_ROOT = '/nonexistent/flannelctl';

function owner(pjson: Interfaces.PJSON): { pluginName: string; pluginAlias: string; pluginType: string } {
  return { pluginName: pjson.name, pluginAlias: pjson.name, pluginType: 'core' };
}
