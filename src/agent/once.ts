import { randomInt } from 'node:crypto';
import { renderChanges } from '../dataplane/batch.ts';
import { ensureTrafficRules } from '../dataplane/masquerade.ts';
import {
  type KnownLeases,
  type Preparation,
  type Programmed,
  planProgram,
  prepareNode,
  programKnown,
  programLeased,
  type ReadPreparation,
  refuseConflict,
  refuseForeignLinks,
  subnetEnvOf,
} from '../dataplane/program.ts';
import { explainUnderlay } from '../dataplane/underlay-explain.ts';
import type { FlannelctlError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Resident } from '../host/resident.ts';
import { maskText } from '../host/secrets.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import { decideAllocation } from '../store/allocation.ts';
import type { AcquireRequest, Lease, LeaseRecord, SubnetStore } from '../store/store.ts';
import { ensureConflist } from './conflist-file.ts';
import { holdLock } from './lock.ts';
import { lookAround, type Surroundings, type SurroundingsInput } from './once-surroundings.ts';
import { findOwner, refuseOwner, refuseWithoutRoot } from './owner.ts';
import { readConfig, remember, silenceOf } from './remembered.ts';
import { rulesFor } from './rules.ts';
import { describeAgent } from './self-description.ts';
import type { AgentFiles } from './settings.ts';
import { tellingFlags } from './takeover.ts';
import { wantedAttributes } from './wanted.ts';

export interface OnceInput {
  readonly options: FlannelOptions;
  readonly host: Host;
  readonly store: SubnetStore;
  readonly clock: Clock;
  readonly files: AgentFiles;
  /** As in the settings of the agent. */
  readonly prefix: string;
}

export interface OnceResult extends Pick<Programmed, 'lease' | 'plan' | 'desired' | 'underlay'> {
  /** `+`, `-`, `=` or `!` and the command, of the overlay and of what goes with it. */
  readonly changes: readonly string[];
  /** What was left out of the changes, and why. */
  readonly notes: readonly string[];
  /** Why this interface, and what else was considered; of a dry run only. */
  readonly explanation: readonly string[];
  /** Text of subnet.env. */
  readonly subnetEnv: string;
  /** That no datastore answered, why, and what was gone on with instead; `null`: one did. */
  readonly warning: string | null;
}

interface WritingInput extends OnceInput {
  readonly writer: HostWriter;
  readonly resident: Resident;
}

/**
 * Programs the overlay and what goes with it, and leaves.
 *
 * @throws {ConflictError} while the agent or a flanneld runs here; {ApplyError} for rules that did not take effect; otherwise as
 *   `programLeased` of the dataplane.
 */
export async function upOnce(input: WritingInput): Promise<OnceResult> {
  await refuseWithoutRoot(input.host);
  const lock = await holdLock(input.resident, { answer: () => describeAgent(undefined), hint: KEPT });
  try {
    await refuseOwner(input.host);
    return await programAll(input);
  } finally {
    await lock.close();
  }
}

const KEPT = 'An agent keeps the overlay in order by itself. See what it says: flannelctl status';

async function programAll(input: WritingInput): Promise<OnceResult> {
  const { host, writer, options, files } = input;
  const { cniConf: path } = files;
  let surroundings = NOTHING;
  const beforeFile = async (around: Pick<SurroundingsInput, 'config' | 'lease' | 'subnetEnv'>) => {
    surroundings = await lookAround({ ...input, ...files, ...around });
  };
  const begun = await begin(input);
  const programmed =
    begun.known === undefined
      ? await programLeased(begun.preparation, { ...input, beforeFile })
      : await programKnown(begun.preparation, begun.known, { ...input, beforeFile });
  const { config, lease } = programmed;
  await ensureTrafficRules({ host, writer, rules: await rulesFor({ host, config, lease, options }) });
  if (path !== undefined) await ensureConflist({ host, writer, path, subnetFile: options.subnetFile });
  return resultOf({ ...programmed, surroundings, warning: begun.warning }, input);
}

const NOTHING: Surroundings = { changes: [], notes: [] };

/** The same without a single write: the lease is the one that would be asked for, a free one chosen as the store would. */
export async function previewOnce(input: OnceInput & { readonly takeover: boolean }): Promise<OnceResult> {
  const owner = input.takeover ? await findOwner(input.host) : undefined;
  if (!input.takeover) await refuseOwner(input.host);
  const beginning = begin(input);
  const { preparation, warning, ...begun } = await (input.takeover ? tellingFlags(input.host, beginning) : beginning);
  const known = begun.known ?? (await previewKnown(input.store, preparation));
  const { own: lease } = known;
  const { desired, plan } = planProgram(preparation, known);
  refuseForeignLinks(plan, preparation.actual);
  const { config, underlay } = preparation;
  const explanation = explainUnderlay(preparation.considered);
  const subnetEnv = subnetEnvOf(preparation, lease, input.options);
  const around = await lookAround({ ...input, ...input.files, config, lease, subnetEnv });
  const stops = owner === undefined ? [] : [`would stop ${owner.name} (pid ${owner.pid})`];
  const surroundings = { ...around, notes: [...stops, ...around.notes] };
  return { ...resultOf({ lease, plan, desired, config, underlay, surroundings, warning }, input), explanation };
}

interface Begun {
  readonly preparation: ReadPreparation;
  /** What is remembered; `undefined`: the datastore is to be asked. */
  readonly known: KnownLeases | undefined;
  readonly warning: string | null;
}

/** @throws {FlannelctlError} when neither the datastore answers nor anything is remembered. */
async function begin(input: OnceInput): Promise<Begun> {
  const { host, store, options } = input;
  const read = await readConfig(store);
  if ('problem' in read) return beginFromMemory(input, read.problem);
  const preparation = await prepareNode(read.config, { options, host });
  const problem = await silenceOf(store, preparation.request.attributes);
  return problem === undefined ? { preparation, known: undefined, warning: null } : beginFromMemory(input, problem);
}

/** Only in the place of one that is not there: whoever was refused can be let in, and nobody stays who would try again. */
async function beginFromMemory(input: OnceInput, problem: FlannelctlError): Promise<Begun> {
  if (problem.exitCode !== 69) throw problem;
  const { options, files, prefix } = input;
  const settings = { ...files, options, prefix };
  const { memory, preparation, own } = await remember({ parts: input, settings }, problem);
  const attributes = wantedAttributes({ status: 'remembered', lease: own }, preparation);
  return {
    preparation,
    known: { own: { ...own, attributes }, records: memory.records, isComplete: false },
    warning: `WITHOUT A DATASTORE, from ${memory.source}: entries are added and corrected, nobody is removed (${maskText(problem.message)})`,
  };
}

async function previewKnown(store: SubnetStore, preparation: Preparation): Promise<KnownLeases> {
  const { records } = await store.listLeases({ ttl: false });
  const { assigned } = store;
  if (assigned === undefined) refuseConflict(preparation, records);
  const { request, config } = preparation;
  const own = (await assigned?.preview(request.attributes)) ?? previewLease(request, records, config);
  return { own, records, isComplete: true };
}

function previewLease(request: AcquireRequest, records: readonly LeaseRecord[], config: Programmed['config']): Lease {
  const random = (limit: number) => (limit > 0 ? randomInt(limit) : 0);
  const allocation = decideAllocation({ config, records, request, random });
  if (allocation.kind === 'reuse') return { ...allocation.lease, attributes: request.attributes };
  return {
    kind: 'lease',
    key: allocation.replaces?.key ?? '',
    ...allocation.pair,
    attributes: request.attributes,
    expiresAt: undefined,
    etcdLease: null,
    modRevision: '',
    node: null,
  };
}

function resultOf(
  programmed: Programmed & { readonly surroundings: Surroundings; readonly warning: string | null },
  { options }: OnceInput,
): OnceResult {
  const { lease, plan, desired, underlay, surroundings, warning } = programmed;
  return {
    warning,
    lease,
    plan,
    desired,
    underlay,
    changes: [...renderChanges(plan), ...surroundings.changes],
    notes: surroundings.notes,
    explanation: [],
    subnetEnv: subnetEnvOf(programmed, lease, options),
  };
}
