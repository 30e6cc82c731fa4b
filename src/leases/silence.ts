import type { Lease } from '../store/store.ts';
import { type AskInput, askOwners, overlayEnds } from './ask-owners.ts';
import { controlledWays, judgeSilence, type Silence } from './silence-verdict.ts';

export type { VxlanWay } from './ask-owners.ts';
export type { Silence } from './silence-verdict.ts';

export interface SilenceInput extends AskInput {
  /** Whose owners may be gone. */
  readonly candidates: readonly Lease[];
  /** Leases of others that were renewed in time: some of their owners are asked too, and one has to answer. */
  readonly fresh: readonly Lease[];
}

const MAX_CONTROLS = 8;

/**
 * Measures whether owners are there, by key of the lease: echo and TCP on the underlay, echo over vxlan, all at once; whoever was silent is
 * asked a second time, together with the others once more.
 */
export async function measureSilence(input: SilenceInput): Promise<ReadonlyMap<string, Silence>> {
  const controls = pickControls(input.fresh);
  const first = await askRound(input, controls, input.candidates);
  const silent = input.candidates.filter(({ key }) => first.get(key)?.verdict === 'silent');
  if (silent.length === 0) return first;
  const second = await askRound(input, controls, silent);
  return new Map([...first, ...second]);
}

/** Some with each family, evenly spread over the list. */
function pickControls(fresh: readonly Lease[]): readonly Lease[] {
  const picked = ([4, 6] as const).flatMap((family) =>
    spread(fresh.filter((lease) => overlayEnds(lease).some((end) => end.family === family))),
  );
  return [...new Set(picked)];
}

function spread<T>(list: readonly T[]): readonly T[] {
  if (list.length <= MAX_CONTROLS) return list;
  const mark = (at: number) => Math.floor((at * MAX_CONTROLS) / list.length);
  return list.filter((_, at) => mark(at + 1) > mark(at));
}

async function askRound(
  input: SilenceInput,
  controls: readonly Lease[],
  candidates: readonly Lease[],
): Promise<ReadonlyMap<string, Silence>> {
  const asked = await askOwners(input, [...controls, ...candidates]);
  const controlled = controlledWays(asked.slice(0, controls.length).flat());
  return new Map(
    candidates.map((lease, at) => [lease.key, judgeSilence(asked[controls.length + at] ?? [], controlled)]),
  );
}
