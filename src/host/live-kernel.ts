import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AbsentError, OutputError, UnavailableError } from '../errors.ts';
import type { HostWriter } from './host.ts';
import { errorCode, readFailure } from './live-errors.ts';
import { pathInRoot } from './live-paths.ts';

/** Written in place: files of /proc cannot be replaced. */
export async function writeSysctl(root: string, name: string, value: string): Promise<void> {
  const path = sysctlPath(name);
  try {
    const file = await open(await pathInRoot(root, path), constants.O_WRONLY);
    try {
      await file.write(`${value}\n`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'EINVAL') throw new OutputError(`${name} does not take ${JSON.stringify(value)}`);
    if (errorCode(error) === 'EROFS') throw new UnavailableError('permission', `${path} is on a read-only file system`);
    throw readFailure(error, path);
  }
}

/**
 * `net.ipv4.conf.flannel.1.rp_filter`, also as `net.ipv4.conf.flannel/1.rp_filter`: only the name of a device can hold a dot.
 * @throws {UnavailableError} `malformed` for what is no sysctl name.
 */
export function sysctlPath(name: string): string {
  const perDevice = /^(net\.ipv[46]\.(?:conf|neigh))\.(.+)\.([^./]+)$/.exec(name);
  const [, head = '', device = '', tail = ''] = perDevice ?? [];
  const parts = perDevice === null ? name.split('.') : [...head.split('.'), device.replaceAll('/', '.'), tail];
  const isName = parts.every((part) => /^[\w@:.-]+$/.test(part) && part !== '.' && part !== '..');
  if (!isName) throw new UnavailableError('malformed', `${JSON.stringify(name)} is no sysctl name`);
  return `/proc/sys/${parts.join('/')}`;
}

type Signal = Parameters<HostWriter['signal']>[1];

export async function sendSignal(root: string, pid: number, signal: Signal): Promise<void> {
  if (!Number.isInteger(pid) || pid <= 1) throw new RangeError(`${pid} is no process to signal`);
  await assertSamePidNamespace(root);
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') throw new AbsentError(`process ${pid} does not run`, { cause: error });
    throw new UnavailableError('permission', `no permission to signal process ${pid}`, { cause: error });
  }
}

/** A pid read below the host's /proc is somebody else in a container with a pid namespace of its own. */
async function assertSamePidNamespace(root: string): Promise<void> {
  if (root === '/') return;
  const [here, there] = await Promise.all([readlink('/proc/self'), readlink(join(root, 'proc/self'))]);
  if (here === there) return;
  throw new UnavailableError('unsupported', "this container cannot signal the host's processes", {
    hint: 'Give the container the pid namespace of the host (hostPID: true).',
  });
}
