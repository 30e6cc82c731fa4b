import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { Argv, ExecResult, FileStat, Host, HostIdentity } from '../../src/host/host.ts';

/** A file by its text, with its times, or what comes of looking at it. */
export type RecordedFile = string | (Partial<FileStat> & { readonly content: string }) | Error;

export interface RecordedParts {
  readonly name?: string;
  readonly identity?: Partial<HostIdentity>;
  /** What `program argument …` printed; an Error is thrown. Any other command was not recorded. */
  readonly commands?: Readonly<Record<string, string | ExecResult | Error>>;
  /** The whole file system: every other path is absent. Directories follow from the paths. */
  readonly files?: Readonly<Record<string, RecordedFile>>;
  readonly links?: Readonly<Record<string, string | Error>>;
  /** Directories whose names do not follow from `files` and `links`, or that cannot be listed. */
  readonly dirs?: Readonly<Record<string, readonly string[] | Error>>;
  readonly connect?: Host['connect'];
  readonly udp?: Host['udp'];
  readonly exchange?: Host['exchange'];
}

/** A host made of what a test names. */
export function recordedHost(parts: RecordedParts = {}): Host {
  const { commands = {}, files = {}, links = {}, dirs = {} } = parts;
  return {
    identity: async () => ({
      hostname: parts.name ?? 'worker-1',
      kernel: '6.1.0',
      os: 'debian 12',
      arch: 'x64',
      uid: 0,
      ...parts.identity,
    }),
    exec: async (argv) => resultOf(argv, commands[argv.join(' ')]),
    readFile: async (path) => {
      const file = found(files[path], path);
      return typeof file === 'string' ? file : file.content;
    },
    readDir: async (path) => {
      const names = found(dirs[path] ?? namesBelow(path, [...Object.keys(files), ...Object.keys(links)]), path);
      return [...names].sort();
    },
    readLink: async (path) => found(links[path], path),
    stat: async (path) => statOf(path, { files, links }),
    connect: parts.connect ?? notRecorded('connect'),
    udp: parts.udp ?? notRecorded('udp'),
    exchange: parts.exchange ?? notRecorded('exchange'),
  };
}

/** `permission`, as a user without rights meets it. */
export function forbidden(path: string): UnavailableError {
  return new UnavailableError('permission', `no permission to read ${path}`);
}

function found<T>(entry: T | Error | undefined, path: string): T {
  if (entry === undefined) throw new AbsentError(`${path} does not exist`);
  if (entry instanceof Error) throw entry;
  return entry;
}

function resultOf(argv: Argv, recorded: string | ExecResult | Error | undefined): ExecResult {
  if (recorded === undefined) throw new UnavailableError('unsupported', `not recorded: ${argv.join(' ')}`);
  if (recorded instanceof Error) throw recorded;
  return typeof recorded === 'string' ? { exitCode: 0, stdout: recorded, stderr: '' } : recorded;
}

function namesBelow(path: string, paths: readonly string[]): readonly string[] | undefined {
  const prefix = path === '/' ? '/' : `${path}/`;
  const below = paths.filter((known) => known.startsWith(prefix));
  if (below.length === 0) return undefined;
  return [...new Set(below.map((known) => known.slice(prefix.length).split('/')[0] ?? ''))];
}

function statOf(path: string, { files = {}, links = {} }: RecordedParts): FileStat {
  const base = { sizeBytes: 0, modifiedAt: 0, mode: 0o644 };
  if (links[path] !== undefined) return { ...base, type: 'symlink' };
  if (files[path] === undefined && namesBelow(path, [...Object.keys(files), ...Object.keys(links)]) !== undefined) {
    return { ...base, type: 'directory', mode: 0o755 };
  }
  const file = found(files[path], path);
  if (typeof file === 'string') return { ...base, type: 'file', sizeBytes: file.length };
  const { content, ...rest } = file;
  return { ...base, type: 'file', sizeBytes: content.length, ...rest };
}

function notRecorded(method: string): () => Promise<never> {
  return async () => {
    throw new UnavailableError('unsupported', `not recorded: ${method}`);
  };
}
