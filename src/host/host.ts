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

/** Datagrams that all leave from one port of ours, to which the answers come. IPv4 only. */
export interface UdpExchange {
  readonly localPort: number;
  readonly datagrams: readonly UdpDatagram[];
  /** How often each is sent. */
  readonly tries: number;
  readonly intervalMs: number;
  /** Time for answers after the last one was sent. */
  readonly timeoutMs: number;
}

export interface UdpDatagram {
  readonly address: string;
  readonly port: number;
  /** Hexadecimal digits. */
  readonly payloadHex: string;
}

export interface UdpExchanged {
  /** Whatever came in meanwhile, from anybody; at most 65536 datagrams, longer ones than 2 KiB left out. */
  readonly received: readonly UdpReceived[];
  /** Addresses to which the kernel would not send, with the name of its error: `ENETUNREACH`, `EPERM`. */
  readonly refused: Readonly<Record<string, string>>;
}

export interface UdpReceived {
  readonly address: string;
  readonly payloadHex: string;
}

export interface ReadFileOptions {
  /** Default 16 MiB. */
  readonly maxBytes?: number;
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
  /** Whole file as UTF-8; more than `maxBytes` is `malformed`. Paths are those of the host, whatever `--root` is. */
  readFile(path: string, options?: ReadFileOptions): Promise<string>;
  /** Names in the directory, sorted. */
  readDir(path: string): Promise<readonly string[]>;
  readLink(path: string): Promise<string>;
  /** Does not follow a symbolic link. */
  stat(path: string): Promise<FileStat>;
  connect(target: ConnectTarget): Promise<ConnectOutcome>;
  udp(target: UdpTarget): Promise<UdpOutcome>;
  /** @throws {UnavailableError} `unsupported` when the port is taken here, `permission` when it may not be bound. */
  exchange(request: UdpExchange): Promise<UdpExchanged>;
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
  /**
   * Adds to the end of a file, fsynced; makes it and missing directories. Never through a symbolic link. `mode` is that of a new file.
   * @throws {OutputError} when it cannot be written.
   */
  appendFile(path: string, content: string, options?: WriteFileOptions): Promise<void>;
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
