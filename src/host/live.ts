import { arch, hostname, release } from 'node:os';
import { AbsentError } from '../errors.ts';
import type { Host, HostIdentity } from './host.ts';
import { exchangeUdp } from './live-exchange.ts';
import { runProgram } from './live-exec.ts';
import { liveFiles } from './live-files.ts';
import { connectTcp, sendUdp } from './live-network.ts';
import { parseOsRelease } from './os-release.ts';

export { assertOutputFile, writeOutputFile } from './live-output.ts';
export { assertHostRoot } from './live-paths.ts';
export { liveWriter } from './live-writer.ts';

export interface LiveOptions {
  /** Where the host's files are seen; `/` outside a container. Programs and sockets are always those of this process. */
  readonly root: string;
  /** Aborted when the command is over: programs that still run are ended. */
  readonly over?: AbortSignal | undefined;
}

/** This machine. */
export function liveHost({ root, over }: LiveOptions): Host {
  const files = liveFiles(root);
  return {
    ...files,
    identity: () => readIdentity(files, root),
    exec: (argv, options) => runProgram(argv, options, over),
    connect: connectTcp,
    udp: sendUdp,
    exchange: exchangeUdp,
  };
}

async function readIdentity(files: Pick<Host, 'readFile'>, root: string): Promise<HostIdentity> {
  const osRelease =
    (await readIfThere(files, '/etc/os-release')) ?? (await readIfThere(files, '/usr/lib/os-release')) ?? '';
  // The UTS namespace of a container has the container's name; the host's is in the host's file.
  const written = root === '/' ? undefined : (await readIfThere(files, '/etc/hostname'))?.trim();
  return {
    hostname: written || hostname(),
    kernel: release(),
    os: parseOsRelease(osRelease),
    arch: arch(),
    uid: process.getuid?.() ?? -1,
  };
}

async function readIfThere(files: Pick<Host, 'readFile'>, path: string): Promise<string | undefined> {
  try {
    return await files.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}
