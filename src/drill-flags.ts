import { basename, dirname, isAbsolute, join } from 'node:path/posix';
import { Flags } from '@oclif/core';
import type { Selection } from './drill/select.ts';
import { AbsentError, UnavailableError, UsageError } from './errors.ts';
import { faults } from './generated/faults.ts';
import type { Host } from './host/host.ts';
import { nearest } from './nearest.ts';

const DRILL = { helpGroup: 'DRILL' };

/** Which drill; several can be up side by side. */
export const whichDrill = { tag: Flags.string({ ...DRILL, summary: 'which drill; default: the latest' }) };

export const whichNode = {
  ...whichDrill,
  node: Flags.integer({ ...DRILL, min: 1, default: 1, summary: 'number of the node' }),
};

/** What a cluster is made of. */
export const clusterFlags = {
  nodes: Flags.integer({ ...DRILL, min: 2, max: 200, default: 3, summary: 'how many nodes' }),
  store: Flags.option({
    ...DRILL,
    options: ['file', 'etcd'] as const,
    default: 'file',
    summary: 'datastore of the leases',
  })(),
  flanneld: Flags.string({ ...DRILL, summary: 'run this flanneld in the nodes; needs --store etcd' }),
};

/** What carries the overlay in `drill up`: drift then does not stay, so no fault can be told by it. */
export const agentFlag = {
  agent: Flags.boolean({
    ...DRILL,
    default: false,
    exclusive: ['flanneld'],
    summary: 'run our own agent, flannelctl up, in the nodes',
  }),
};

interface ClusterFlags {
  readonly nodes: number;
  readonly store: 'file' | 'etcd';
  readonly flanneld: string | undefined;
  readonly agent?: boolean;
}

/** @throws {UsageError} for a flanneld with the file store, which only the stand-in knows. */
export async function clusterRequest(host: Host, { nodes, store, flanneld, agent = false }: ClusterFlags) {
  if (flanneld !== undefined && store !== 'etcd') {
    throw new UsageError('a real flanneld needs --store etcd: it knows no file store');
  }
  if (flanneld !== undefined && !isAbsolute(flanneld)) {
    throw new UsageError(`--flanneld takes an absolute path, not ${JSON.stringify(flanneld)}`);
  }
  if (flanneld !== undefined) await host.stat(flanneld);
  return { nodes, store, agent, flanneld: flanneld ?? null, program: await executable(host) };
}

/**
 * The executable that nodes run: this one. From a checkout, where Node runs the source, it is what `npm run build` made.
 * @throws {UnavailableError} `missing-tool` when it was not built.
 */
async function executable(host: Host): Promise<string> {
  const self = await host.readLink('/proc/self/exe');
  if (!/^node/.test(basename(self))) return self;
  const [, script = ''] = (await host.readFile('/proc/self/cmdline')).split('\0');
  const path = join(isAbsolute(script) ? '/' : await host.readLink('/proc/self/cwd'), script);
  const built = join(dirname(dirname(path)), 'dist/flannelctl');
  try {
    await host.stat(built);
    return built;
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error;
    throw new UnavailableError('missing-tool', `the nodes of a drill run ${built}, which is not there`, {
      hint: 'Build it: npm run build',
    });
  }
}

/** All faults there are. */
export const faultSelection: Selection = { faults, nearest };

/** A drill is up for as long as its user wants. */
export const NO_DEADLINE_MS = 24 * 3_600_000;
