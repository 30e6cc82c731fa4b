import { type Preparation, prepareNode } from '../dataplane/program.ts';
import { AbsentError, FlannelctlError, InputError, UnavailableError } from '../errors.ts';
import { maskText } from '../host/secrets.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { Lease, LeaseRecord } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { type AgentParts, type Board, makeBoard } from './board.ts';
import { readLeasesFile } from './leases-file.ts';
import { type Memory, placeOf } from './memory.ts';
import { isUnanswered, problemText } from './problem.ts';
import type { AgentSettings } from './settings.ts';
import { readState, strangeness } from './state-file.ts';

/**
 * Reads configuration and node, from the datastore or, where it does not answer, from what is remembered. Nothing has been written.
 *
 * @throws {UnavailableError} when neither is to be had; {FlannelctlError} when no interface can be chosen.
 */
export async function startBoard(parts: AgentParts, settings: AgentSettings): Promise<Board> {
  const read = await readConfig(parts);
  if ('problem' in read) return startFromMemory(parts, settings, read.problem);
  return orFromMemory(await boardFor({ parts, settings, ...read }));
}

/** `problem`: why the datastore gave none. What this host does not answer is no reason to go on without the datastore. */
async function readConfig({ store }: AgentParts) {
  try {
    const stored = await store.readNetworkConfig();
    return { config: parseStoredConfig(stored, store.kind).config, configText: stored.text };
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return { problem: problemText(error) };
  }
}

/** In Kubernetes the configuration is a file: it can be read while the API is silent. Without a state the agent waits for the API. */
async function orFromMemory(board: Board): Promise<Board> {
  const { parts, settings } = board;
  const problem = await silenceOf(board);
  if (problem === undefined) return board;
  try {
    return await startFromMemory(parts, settings, problem);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    parts.log.warn('waiting for the Kubernetes API', { error: problemText(error) });
    return board;
  }
}

/** Why the API cannot be asked for this node's subnet; `undefined`: it can, whatever it says. */
async function silenceOf({ parts, wanted }: Board): Promise<string | undefined> {
  try {
    await parts.store.assigned?.preview(wanted);
    return undefined;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    return isUnanswered(error) ? problemText(error) : undefined;
  }
}

interface Known {
  readonly parts: AgentParts;
  readonly settings: AgentSettings;
  readonly config: NetworkConfig;
  readonly configText: string;
}

async function boardFor({ parts, settings, config, configText }: Known): Promise<Board> {
  const { underlay, request }: Preparation = await prepareNode(config, { options: settings.options, host: parts.host });
  parts.log.info('chose the interface', {
    device: underlay.device,
    publicIp: underlay.publicIp ?? underlay.publicIpv6,
    because: underlay.because,
  });
  const start = { config, configText, underlay, wanted: request.attributes };
  return makeBoard({ parts, settings, start });
}

async function startFromMemory(parts: AgentParts, settings: AgentSettings, problem: string): Promise<Board> {
  const memory = await rememberedBy(parts, settings, problem);
  const stored = { text: memory.config, source: memory.source };
  const { config } = parseStoredConfig(stored, parts.store.kind);
  const board = await boardFor({ parts, settings, config, configText: memory.config });
  const own = memory.own ?? ownAmong(memory.records, board);
  if (own === undefined) throw nothingOfUs(memory.source, problem);
  board.own = { status: 'remembered', lease: own };
  board.book.remember(memory.records, memory.clusterId);
  parts.log.error(
    'STARTING WITHOUT A DATASTORE: entries are added and corrected, nobody is removed, until it answers',
    {
      from: memory.source,
      problem: maskText(problem),
    },
  );
  return board;
}

/** A file that was named comes first; else what this agent knew last. @throws {UnavailableError} when there is neither. */
async function rememberedBy(parts: AgentParts, settings: AgentSettings, problem: string): Promise<Memory> {
  const fromFile =
    settings.leasesFile === undefined ? undefined : await readLeasesFile(parts.host, settings.leasesFile);
  const state = await readState(parts.host, settings.stateFile);
  if (fromFile !== undefined) {
    const config = fromFile.config ?? state?.config ?? (await readConfigFile(parts, settings));
    return {
      config,
      own: null,
      records: fromFile.records,
      clusterId: fromFile.clusterId,
      source: settings.leasesFile ?? '',
    };
  }
  if (state === undefined) throw unreachable(problem, `there is no ${settings.stateFile} to start from`);
  const stored = { text: state.config, source: settings.stateFile };
  const { underlay } = await prepareNode(parseStoredConfig(stored, parts.store.kind).config, {
    options: settings.options,
    host: parts.host,
  });
  const { publicIp, publicIpv6 } = underlay;
  const strange = strangeness(state, await placeOf(parts.host, { publicIp, publicIpv6, prefix: settings.prefix }));
  if (strange !== undefined) throw unreachable(problem, `${settings.stateFile} is not used: ${strange}`);
  const age = Math.round((parts.clock.now() - state.savedAt) / 1000);
  return {
    config: state.config,
    own: state.own,
    records: state.records,
    clusterId: state.clusterId,
    source: `${settings.stateFile}, ${age} s old`,
  };
}

async function readConfigFile(parts: AgentParts, settings: AgentSettings): Promise<string> {
  const path = settings.options.netConfigPath;
  try {
    return await parts.host.readFile(path);
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error;
    throw new InputError(`${settings.leasesFile} holds no network configuration`, {
      hint: `Add a member "config" to it, or put net-conf.json at ${path}.`,
    });
  }
}

function ownAmong(records: readonly LeaseRecord[], { underlay }: Board): Lease | undefined {
  const { publicIp, publicIpv6 } = underlay;
  return records
    .filter((record) => record.kind === 'lease')
    .find(({ attributes }) =>
      publicIp === null ? attributes.publicIpv6 === publicIpv6 : attributes.publicIp === publicIp,
    );
}

function nothingOfUs(source: string, problem: string): FlannelctlError {
  return unreachable(problem, `${source} has no lease of this node`);
}

function unreachable(problem: string, why: string): UnavailableError {
  return new UnavailableError('unreachable', `${problem}; ${why}`, {
    hint: 'Check --etcd-endpoints or the Kubernetes API; or name the leases with --leases-file.',
  });
}
