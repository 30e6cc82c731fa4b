import { randomInt } from 'node:crypto';
import { renderChanges } from '../dataplane/batch.ts';
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
import { refuseOwner, refuseWithoutRoot } from './owner.ts';

export type OnceInput = Omit<ProgramInput, 'readConfig'>;

export interface OnceResult extends Pick<Programmed, 'lease' | 'plan' | 'desired' | 'underlay'> {
  /** `+`, `-`, `=` or `!` and the command. */
  readonly changes: readonly string[];
  /** Why this interface, and what else was considered; of a dry run only. */
  readonly explanation: readonly string[];
  /** Text of subnet.env. */
  readonly subnetEnv: string;
}

/**
 * Programs the overlay and leaves.
 *
 * @throws {ConflictError} while a flanneld runs here; otherwise as `programOnce` of the dataplane.
 */
export async function upOnce(input: OnceInput & { readonly writer: HostWriter }): Promise<OnceResult> {
  await refuseWithoutRoot(input.host);
  await refuseOwner(input.host);
  const programmed = await programOnce({ ...input, readConfig: parseStoredConfig });
  return resultOf(programmed, input);
}

/** The same without a single write: the lease is the one that would be asked for, a free one chosen as the store would. */
export async function previewOnce(input: OnceInput): Promise<OnceResult> {
  await refuseOwner(input.host);
  const preparation = await prepareProgram({ ...input, readConfig: parseStoredConfig });
  const { records } = await input.store.listLeases({ ttl: false });
  refuseConflict(preparation, records);
  const lease = previewLease(preparation.request, records, preparation.config);
  const { desired, plan } = planProgram(preparation, lease, records);
  refuseForeignLinks(plan, preparation.actual);
  const { config, underlay } = preparation;
  const explanation = explainUnderlay(preparation.considered);
  return { ...resultOf({ lease, plan, desired, config, underlay }, input), explanation };
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

function resultOf(programmed: Programmed, { options }: OnceInput): OnceResult {
  const { lease, plan, desired, underlay } = programmed;
  return {
    lease,
    plan,
    desired,
    underlay,
    changes: renderChanges(plan),
    explanation: [],
    subnetEnv: subnetEnvOf(programmed, lease, options),
  };
}
