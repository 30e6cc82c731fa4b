import { randomInt } from 'node:crypto';
import { renderChanges } from '../dataplane/batch.ts';
import { ensureTrafficRules } from '../dataplane/masquerade.ts';
import {
  type ProgramInput,
  type Programmed,
  planProgram,
  prepareProgram,
  programOnce,
  refuseConflict,
  refuseForeignLinks,
  subnetEnvOf,
} from '../dataplane/program.ts';
import { explainUnderlay } from '../dataplane/underlay-explain.ts';
import type { HostWriter } from '../host/host.ts';
import { decideAllocation } from '../store/allocation.ts';
import type { AcquireRequest, Lease, LeaseRecord } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { ensureConflist } from './conflist-file.ts';
import { lookAround, type Surroundings, type SurroundingsInput } from './once-surroundings.ts';
import { findOwner, refuseOwner, refuseWithoutRoot } from './owner.ts';
import { rulesFor } from './rules.ts';
import { tellingFlags } from './takeover.ts';

export interface OnceInput extends Omit<ProgramInput, 'readConfig'> {
  /** `--cni-conf` */
  readonly cniConf: string | undefined;
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
}

/**
 * Programs the overlay and what goes with it, and leaves.
 *
 * @throws {ConflictError} while a flanneld runs here; {ApplyError} for rules that did not take effect; otherwise as `programOnce` of the
 *   dataplane.
 */
export async function upOnce(input: OnceInput & { readonly writer: HostWriter }): Promise<OnceResult> {
  await refuseWithoutRoot(input.host);
  await refuseOwner(input.host);
  const { host, writer, options, cniConf: path } = input;
  let surroundings = NOTHING;
  const look = async (around: Pick<SurroundingsInput, 'config' | 'lease' | 'subnetEnv'>) => {
    surroundings = await lookAround({ ...input, ...around });
  };
  const programmed = await programOnce({ ...input, readConfig: parseStoredConfig, beforeFile: look });
  const { config, lease } = programmed;
  await ensureTrafficRules({ host, writer, rules: await rulesFor({ host, config, lease, options }) });
  if (path !== undefined) await ensureConflist({ host, writer, path, subnetFile: options.subnetFile });
  return resultOf({ ...programmed, surroundings }, input);
}

const NOTHING: Surroundings = { changes: [], notes: [] };

/** The same without a single write: the lease is the one that would be asked for, a free one chosen as the store would. */
export async function previewOnce(input: OnceInput & { readonly takeover: boolean }): Promise<OnceResult> {
  const owner = input.takeover ? await findOwner(input.host) : undefined;
  if (!input.takeover) await refuseOwner(input.host);
  const preparing = prepareProgram({ ...input, readConfig: parseStoredConfig });
  const preparation = await (input.takeover ? tellingFlags(input.host, preparing) : preparing);
  const { records } = await input.store.listLeases({ ttl: false });
  const { assigned } = input.store;
  if (assigned === undefined) refuseConflict(preparation, records);
  const lease =
    (await assigned?.preview(preparation.request.attributes)) ??
    previewLease(preparation.request, records, preparation.config);
  const { desired, plan } = planProgram(preparation, lease, records);
  refuseForeignLinks(plan, preparation.actual);
  const { config, underlay } = preparation;
  const explanation = explainUnderlay(preparation.considered);
  const subnetEnv = subnetEnvOf(preparation, lease, input.options);
  const around = await lookAround({ ...input, config, lease, subnetEnv });
  const stops = owner === undefined ? [] : [`would stop ${owner.name} (pid ${owner.pid})`];
  const surroundings = { ...around, notes: [...stops, ...around.notes] };
  return { ...resultOf({ lease, plan, desired, config, underlay, surroundings }, input), explanation };
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
  programmed: Programmed & { readonly surroundings: Surroundings },
  { options }: OnceInput,
): OnceResult {
  const { lease, plan, desired, underlay, surroundings } = programmed;
  return {
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
