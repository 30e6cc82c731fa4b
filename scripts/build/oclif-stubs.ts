import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { OnResolveArgs, OnResolveResult, Plugin } from 'esbuild';

interface Stub {
  /** What oclif imports. */
  readonly module: RegExp;
  /** What it gets. */
  readonly code: string;
}

/** Parts that serve plugins on disk, TypeScript sources and debug logs: together they take longer than all that is used of oclif. */
const UNUSED: readonly Stub[] = [
  { module: /^wsl-utils$/, code: 'export const isWsl = false;' },
  { module: /^(semver|tinyglobby|minimatch|lilconfig|get-package-type)$/, code: 'module.exports = {};' },
  { module: /^\.\/plugin$/, code: 'exports.Plugin = class {};' },
  { module: /(^|\/)ts-path$/, code: 'exports.TS_CONFIGS = {}; exports.tsPath = async () => undefined;' },
  { module: /^node:child_process$/, code: 'module.exports = {};' },
  { module: /^node:perf_hooks$/, code: 'exports.performance = globalThis.performance;' },
  {
    module: /^debug$/,
    code: `const make = () => Object.assign(() => undefined, { enabled: false, namespace: '', extend: make });
module.exports = Object.assign(make, { default: make, enable() {}, disable: () => '', formatters: {} });`,
  },
  // oclif reads these two names when it is loaded on a terminal.
  {
    module: /^cli-spinners$/,
    code: `const frames = ['-', '+']; module.exports = { dots2: { interval: 80, frames }, line: { interval: 130, frames } };`,
  },
];

/** Parts that are needed by few runs: loaded when they are called. */
const LATER: readonly Stub[] = [
  { module: /^ejs$/, code: lazy('ejs', ['render']) },
  { module: /^node:readline$/, code: lazy('node:readline', ['createInterface']) },
  { module: /^node:fs\/promises$/, code: lazy('node:fs/promises', ['stat', 'readFile', 'readdir']) },
];

function lazy(module: string, functions: readonly string[]): string {
  return functions
    .map((name) => `exports.${name} = (...args) => require(${JSON.stringify(module)}).${name}(...args);`)
    .join('\n');
}

/** The build fails when oclif no longer imports one of them: then nobody knows what the stub stands for. */
export function oclifStubs(): Plugin {
  const stubs = [...UNUSED, ...LATER];
  const used = new Set<Stub>();
  const resolveDir = dirname(createRequire(import.meta.url).resolve('@oclif/core'));
  return {
    name: 'oclif-stubs',
    setup(build) {
      for (const stub of stubs) build.onResolve({ filter: stub.module }, (args) => resolve(stub, args, used));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ pluginData }) => ({
        contents: pluginData,
        loader: 'js',
        resolveDir,
      }));
      build.onEnd(() => ({
        errors: stubs.filter((stub) => !used.has(stub)).map(({ module }) => ({ text: `oclif imports no ${module}` })),
      }));
    },
  };
}

const NAMESPACE = 'oclif-stub';

function resolve(
  stub: Stub,
  { path, importer, namespace }: OnResolveArgs,
  used: Set<Stub>,
): OnResolveResult | undefined {
  if (namespace === NAMESPACE || !importer.includes('/@oclif/core/')) return undefined;
  used.add(stub);
  return { path: path.replaceAll(/[^a-z0-9]/gi, '_'), namespace: NAMESPACE, pluginData: stub.code };
}
