import type { RecordedFile, RecordedParts } from './recorded.ts';

export interface ProcessParts {
  readonly pid: number;
  readonly argv: readonly string[];
  /** Default: the basename of argv[0], cut as the kernel does. */
  readonly comm?: string;
  readonly state?: string;
  /** Clock ticks after boot. */
  readonly startTicks?: number;
  readonly cgroup?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Inode of its network namespace; an Error when it may not be read. */
  readonly net?: string | Error;
  readonly mnt?: string;
}

export const HERE = 'net:[4026531840]';
export const ELSEWHERE = 'net:[4026532999]';
const HOST_MOUNTS = 'mnt:[4026531841]';

type ProcFiles = Required<Pick<RecordedParts, 'files' | 'links'>>;

/** /proc of a host booted at epoch second 1000 with init and these processes. */
export function procWith(...processes: readonly ProcessParts[]): ProcFiles {
  const init: ProcessParts = { pid: 1, argv: ['/sbin/init'], comm: 'systemd', cgroup: '/init.scope' };
  const parts = [init, ...processes].map(oneProcess);
  return {
    files: { '/proc/stat': 'cpu  1 2 3\nbtime 1000\n', ...merge(parts.map(({ files }) => files)) },
    links: {
      '/proc/self/ns/net': HERE,
      '/proc/self/ns/mnt': HOST_MOUNTS,
      ...merge(parts.map(({ links }) => links)),
    },
  };
}

function oneProcess(parts: ProcessParts): ProcFiles {
  const { pid, argv, state = 'S', startTicks = 500, cgroup = '/', net = HERE, mnt = HOST_MOUNTS } = parts;
  const comm = parts.comm ?? (argv[0]?.split('/').at(-1) ?? '').slice(0, 15);
  const environment = Object.entries(parts.environment ?? {}).map(([name, value]) => `${name}=${value}\0`);
  return {
    files: {
      [`/proc/${pid}/comm`]: `${comm}\n`,
      [`/proc/${pid}/cmdline`]: argv.map((word) => `${word}\0`).join(''),
      [`/proc/${pid}/environ`]: environment.join(''),
      // proc_pid_stat(5): state is field 3, starttime field 22.
      [`/proc/${pid}/stat`]: `${pid} (${comm}) ${state} 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 9 0 ${startTicks} 1 1\n`,
      [`/proc/${pid}/cgroup`]: `0::${cgroup}\n`,
    },
    links: { [`/proc/${pid}/ns/net`]: net, [`/proc/${pid}/ns/mnt`]: mnt },
  };
}

function merge<T extends RecordedFile | string | Error>(
  records: readonly Readonly<Record<string, T>>[],
): Record<string, T> {
  return Object.fromEntries(records.flatMap((record) => Object.entries(record)));
}
