import { prepareNode, type ReadPreparation } from '../dataplane/program.ts';
import type { Underlay } from '../dataplane/underlay.ts';
import { AbsentError, FlannelctlError, InputError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { Lease, LeaseAttributes, LeaseRecord, SubnetStore } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { readLeasesFile } from './leases-file.ts';
import { type Memory, placeOf } from './memory.ts';
import { isUnanswered } from './problem.ts';
import type { AgentSettings } from './settings.ts';
import { type AgentState, readState, strangeness } from './state-file.ts';

/** Who remembers, and from which files. */
export interface Remembering {
  readonly parts: { readonly host: Host; readonly clock: Clock; readonly store: Pick<SubnetStore, 'kind'> };
  readonly settings: Pick<AgentSettings, 'options' | 'leasesFile' | 'stateFile' | 'prefix'>;
}

/** What a start without a datastore goes on with. */
export interface Remembered {
  readonly memory: Memory;
  readonly preparation: ReadPreparation;
  readonly own: Lease;
}

/** The network configuration; `problem`: why the datastore gave none. What it holds and is no configuration is not a reason to remember. */
export async function readConfig(store: SubnetStore) {
  try {
    const stored = await store.readNetworkConfig();
    return { config: parseStoredConfig(stored, store.kind).config, configText: stored.text };
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return { problem: error };
  }
}

/**
 * Why the Kubernetes API cannot be asked for this node's subnet, whose configuration is a file; `undefined`: it can, whatever it says, or
 * another datastore has said its configuration.
 */
export async function silenceOf(store: SubnetStore, attributes: LeaseAttributes): Promise<FlannelctlError | undefined> {
  try {
    await store.assigned?.preview(attributes);
    return undefined;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    return isUnanswered(error) ? error : undefined;
  }
}

/**
 * What this node knew last, or a file of leases that was named. `problem`: why the datastore is not asked.
 *
 * @throws {FlannelctlError} the problem, when there is neither or what there is is not this host's.
 */
export async function remember(remembering: Remembering, problem: FlannelctlError): Promise<Remembered> {
  const { parts, settings } = remembering;
  const { memory, state } = await recall(remembering, problem);
  const { config } = parseStoredConfig({ text: memory.config, source: memory.source }, parts.store.kind);
  const preparation = await prepareNode(config, { options: settings.options, host: parts.host });
  const { publicIp, publicIpv6 } = preparation.underlay;
  if (state !== undefined) {
    const strange = strangeness(state, await placeOf(parts.host, { publicIp, publicIpv6, prefix: settings.prefix }));
    if (strange !== undefined) throw unreachable(problem, `${settings.stateFile} is not used: ${strange}`);
  }
  const own = memory.own ?? ownAmong(memory.records, preparation.underlay);
  if (own === undefined) throw unreachable(problem, `${memory.source} has no lease of this node`);
  return { memory, preparation, own };
}

interface Recalled {
  readonly memory: Memory;
  /** The state file that it is from. */
  readonly state?: AgentState;
}

/** A file that was named comes first; else what was known last. */
async function recall({ parts, settings }: Remembering, problem: FlannelctlError): Promise<Recalled> {
  const { host, clock } = parts;
  const { leasesFile: source, stateFile } = settings;
  if (source !== undefined) {
    const { records, clusterId, config: named } = await readLeasesFile(host, source);
    const config = named ?? (await readState(host, stateFile))?.config ?? (await readConfigFile(host, settings));
    return { memory: { config, own: null, records, clusterId, source } };
  }
  const state = await lastState(host, stateFile, problem);
  const { config, own, records, clusterId } = state;
  const seconds = Math.round((clock.now() - state.savedAt) / 1000);
  return { memory: { config, own, records, clusterId, source: `${stateFile}, ${seconds} s old` }, state };
}

async function lastState(host: Host, stateFile: string, problem: FlannelctlError): Promise<AgentState> {
  try {
    const state = await readState(host, stateFile);
    if (state !== undefined) return state;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    throw unreachable(problem, error.message);
  }
  throw unreachable(problem, `there is no ${stateFile} to start from`);
}

async function readConfigFile(host: Host, { options, leasesFile }: Remembering['settings']): Promise<string> {
  const path = options.netConfigPath;
  try {
    return await host.readFile(path);
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error;
    throw new InputError(`${leasesFile} holds no network configuration`, {
      hint: `Add a member "config" to it, or put net-conf.json at ${path}.`,
    });
  }
}

function ownAmong(records: readonly LeaseRecord[], { publicIp, publicIpv6 }: Underlay): Lease | undefined {
  return records
    .filter((record) => record.kind === 'lease')
    .find(({ attributes }) =>
      publicIp === null ? attributes.publicIpv6 === publicIpv6 : attributes.publicIp === publicIp,
    );
}

/** With its code and its way out, and the other one. */
function unreachable(problem: FlannelctlError, why: string): FlannelctlError {
  const hint = `${problem.hint ?? ''} Or name the leases with --leases-file.`.trimStart();
  return new FlannelctlError(problem, `${problem.message}; ${why}`, { cause: problem, hint });
}
