export interface ExecOptions {
  /** Written to standard input, which is then closed. Default: no input. */
  readonly input?: string;
  /** Default 5000. The process group is killed when it runs out. */
  readonly timeoutMs?: number;
}

/** How a program ended; any exit code is a result, not an error. Output is UTF-8, at most 64 MiB a stream. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program and its arguments: never a shell line. */
export type Argv = readonly [program: string, ...args: string[]];

export interface FileStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
}

export interface HostIdentity {
  readonly hostname: string;
  /** `uname -r`. */
  readonly kernel: string;
  /** ID and VERSION_ID of os-release: `debian 12`; `linux` where there is none. */
  readonly os: string;
  /** Node's name of the architecture: `x64`, `arm64`. */
  readonly arch: string;
  readonly uid: number;
}

/** Answer of one TCP handshake. A refused connection proves that the host is there. */
export type ConnectOutcome = 'open' | 'refused' | 'silent' | 'unreachable';

/** Answer of one UDP datagram. `refused`: ICMP port unreachable. `silent`: open or dropped, which nobody can tell apart. */
export type UdpOutcome = 'answered' | 'refused' | 'prohibited' | 'unreachable' | 'silent';

export interface ConnectTarget {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

export interface UdpTarget extends ConnectTarget {
  /** Bytes to send, as hexadecimal digits. */
  readonly payloadHex: string;
}

/**
 * Everything that flannelctl reads from the machine. Live, recorded (an earlier run) and recording adapters exist;
 * the recorded one rejects what nobody recorded and never falls through to the machine.
 *
 * Every method: @throws {AbsentError} when the path or object is not there; {UnavailableError} when it could not be looked at
 * (`permission`, `timeout`, `missing-tool`, `unsupported`).
 */
export interface Host {
  identity(): Promise<HostIdentity>;
  /** @throws {UnavailableError} `missing-tool` when the program is not installed, `timeout` when it was killed. */
  exec(argv: Argv, options?: ExecOptions): Promise<ExecResult>;
  /** Whole file as UTF-8; at most 16 MiB (more is `malformed`). Paths are those of the host, whatever `--root` is. */
  readFile(path: string): Promise<string>;
  /** Names in the directory, sorted. */
  readDir(path: string): Promise<readonly string[]>;
  readLink(path: string): Promise<string>;
  /** Does not follow a symbolic link. */
  stat(path: string): Promise<FileStat>;
  connect(target: ConnectTarget): Promise<ConnectOutcome>;
  udp(target: UdpTarget): Promise<UdpOutcome>;
}

export interface WriteFileOptions {
  /** Default 0o644. */
  readonly mode?: number;
}

/**
 * Everything that flannelctl changes on the machine. Handed only to the agent, `--fix`, the backup of prune, and the drill:
 * who has no HostWriter cannot write.
 */
export interface HostWriter {
  /** Runs a program that changes something; same rules as {@link Host.exec}. */
  run(argv: Argv, options?: ExecOptions): Promise<ExecResult>;
  /**
   * Atomically: temporary file in the same directory, fsync, rename, fsync of the directory. Makes missing directories (0755).
   * @throws {OutputError} when it cannot be written; nothing was changed then.
   */
  writeFile(path: string, content: string, options?: WriteFileOptions): Promise<void>;
  /**
   * As writeFile, only when nothing is there yet: the compare of a file store, and a lock.
   * @throws {ConflictError} when the path exists.
   */
  createFile(path: string, content: string, options?: WriteFileOptions): Promise<void>;
  /** No error when it is not there. Directories with all they hold. */
  remove(path: string): Promise<void>;
  /** `name` as in the sysctls fact, `net.ipv4.conf.flannel.1.rp_filter`; for this run of the kernel, nothing is persisted. */
  writeSysctl(name: string, value: string): Promise<void>;
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts a program that outlives flannelctl, in a session of its own. */
  spawn(argv: Argv, options?: SpawnOptions): Promise<{ readonly pid: number }>;
}

export interface SpawnOptions {
  /** Replaces the environment; default: the PATH alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** Path that receives stdout and stderr; default: thrown away. */
  readonly logFile?: string;
  /** argv[0] as the process sees it; default: the program. */
  readonly argv0?: string;
}
