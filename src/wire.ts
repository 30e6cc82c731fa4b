import { InputError, UnavailableError } from './errors.ts';
import type { Clock } from './host/clock.ts';
import type { Argv, Host, HostWriter } from './host/host.ts';
import type { RelayOptions } from './host/live-relay.ts';
import type { Resident } from './host/resident.ts';
import type { KubeApi } from './kube/kube.ts';
import type { OwnNode } from './store/assigned.ts';
import type { RawEtcd } from './store/etcd.ts';
import type { EtcdHealth } from './store/health.ts';
import type { EtcdSelection, StoreSecrets, StoreSelection, SubnetStore } from './store/store.ts';

export interface WorldOptions {
  /** `--root`: where the host's files are seen; `/` outside a container. */
  readonly root: string;
  /** Aborted when the command is over: programs that still run are ended. */
  readonly over?: AbortSignal;
}

export interface StoreOptions {
  readonly secrets: StoreSecrets;
  /** Deadline of one call. */
  readonly timeoutMs: number;
}

/** The adapters of one run. The only place that picks them; each is loaded when it is first used. */
export interface World {
  readonly host: Host;
  readonly clock: Clock;
  /** Ask for it only where something is going to be written. */
  writer(): Promise<HostWriter>;
  /** For a process that stays: the agent, and who asks it. */
  resident(): Promise<Resident>;
  /** For a run that leaves much garbage behind: from here on it is collected early. */
  keepMemorySmall(): Promise<void>;
  openStore(selection: StoreSelection, options: StoreOptions): Promise<SubnetStore>;
  openKube(selection: Extract<StoreSelection, { kind: 'kube' }>, options: StoreOptions): Promise<KubeApi>;
  openEtcdHealth(selection: EtcdSelection, options: StoreOptions): Promise<EtcdHealth>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { assertHostRoot, liveHost, liveWriter } = await import('./host/live.ts');
  const { systemClock } = await import('./host/system-clock.ts');
  await assertHostRoot(options.root);
  const host = liveHost(options);
  const writer = async () => liveWriter({ root: options.root });
  const openKube: World['openKube'] = async (selection, { timeoutMs }) => {
    const { openKubeApi } = await import('./kube/client.ts');
    return openKubeApi({ selection, host, timeoutMs });
  };
  return {
    host,
    clock: systemClock,
    writer,
    resident: async () => (await import('./host/live-resident.ts')).liveResident(),
    keepMemorySmall: async () => (await import('./host/live-memory.ts')).keepMemorySmall(),
    openKube,
    openStore: (selection, store) => openStore(selection, { ...store, host, clock: systemClock, writer, openKube }),
    openEtcdHealth: async (selection, store) => {
      const { openEtcdHealth } = await import('./store/etcd-health.ts');
      return openEtcdHealth({ selection, host, ...store });
    },
  };
}

interface StoreParts extends StoreOptions {
  readonly host: Host;
  readonly clock: Clock;
  readonly writer: World['writer'];
  readonly openKube: World['openKube'];
}

async function openStore(selection: StoreSelection, parts: StoreParts): Promise<SubnetStore> {
  switch (selection.kind) {
    case 'etcd': {
      const { openEtcdStore } = await import('./store/etcd.ts');
      return openEtcdStore({ selection, host: parts.host, secrets: parts.secrets, timeoutMs: parts.timeoutMs });
    }
    case 'kube': {
      const { kubeStore } = await import('./store/kube.ts');
      return kubeStore({ selection, host: parts.host, kube: await parts.openKube(selection, parts) });
    }
    case 'file': {
      const { fileStore } = await import('./store/file.ts');
      return fileStore({ selection, host: parts.host, clock: parts.clock, writer: await parts.writer() });
    }
  }
}

/** The records of a datastore past all our own rules, for the drill. @throws {UnavailableError} `unsupported` for Kubernetes. */
export async function openRaw(
  selection: StoreSelection,
  { host, clock, writer }: World,
  options: StoreOptions,
): Promise<RawEtcd> {
  switch (selection.kind) {
    case 'etcd': {
      const { openRawEtcd } = await import('./store/etcd.ts');
      return openRawEtcd({ selection, host, ...options });
    }
    case 'kube':
      throw new UnavailableError('unsupported', 'the records of a Kubernetes datastore are Node objects');
    case 'file': {
      const { rawFileRecords } = await import('./store/file.ts');
      const raw = rawFileRecords({ path: selection.path, host, clock, writer: await writer() });
      return { ...raw, close: async () => undefined };
    }
  }
}

/** This host's Node as a DaemonSet tells it (downward API), in the order of flannel; `undefined`: it does not. */
export function nodeFromEnvironment(): OwnNode | undefined {
  const { NODE_NAME, POD_NAME, POD_NAMESPACE } = process.env;
  if (NODE_NAME) return { name: NODE_NAME };
  return POD_NAME && POD_NAMESPACE ? { pod: { namespace: POD_NAMESPACE, name: POD_NAME } } : undefined;
}

/** The name this process has in /proc/PID/comm. */
export async function nameProcess(name: string): Promise<void> {
  const { writeProcessName } = await import('./host/live-process-name.ts');
  return writeProcessName(name);
}

/** Runs a program on our own terminal; resolves to its exit code. */
export async function runOnTerminal(argv: Argv): Promise<number> {
  const { runAttached } = await import('./host/live-attached.ts');
  return runAttached(argv);
}

/** For the drill: passes TCP connections on, late, until `signal` fires. */
export async function relay(options: RelayOptions, signal: AbortSignal): Promise<void> {
  const { relayTcp } = await import('./host/live-relay.ts');
  return relayTcp(options, signal);
}

/** A file given on the command line, or standard input for `-`. @throws {InputError} when it cannot be read. */
export async function readInput(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  try {
    return path === '-' ? await readStandardInput() : await readFile(path, 'utf8');
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${path === '-' ? 'standard input' : path} cannot be read: ${message}`, { cause });
  }
}

/** As it was handed over: /dev/stdin would be opened anew, which a socket or somebody else's file does not allow. */
async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes a file named on the command line. @throws {OutputError} when it cannot be written, also for a directory that is not there. */
export async function writeOutput(path: string, content: string, mode?: number): Promise<void> {
  const { writeOutputFile } = await import('./host/live.ts');
  return writeOutputFile(path, content, mode);
}

/** Finds out beforehand. @throws {OutputError} when {@link writeOutput} would fail. */
export async function assertWritable(path: string): Promise<void> {
  const { assertOutputFile } = await import('./host/live.ts');
  return assertOutputFile(path);
}
