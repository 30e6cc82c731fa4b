import { type AskInput, askOwners } from './ask-owners.ts';
import { type LeaseOwner, overlayEnds } from './lease-owner.ts';
import { type Asked, controlledWays, judgeSilence, type Silence } from './silence-verdict.ts';

export interface SilenceInput extends AskInput {
  /** Who may be gone. */
  readonly candidates: readonly LeaseOwner[];
  /** Others that renewed in time: some of them are asked too, and one has to answer. */
  readonly fresh: readonly LeaseOwner[];
}

/** With what it was measured by. */
export interface MeasuredSilence extends Silence {
  readonly asked: readonly Asked[];
}

const MAX_CONTROLS = 8;

/**
 * Measures whether owners are there, by key of the lease: echo and TCP on the underlay, echo over vxlan, all at once; whoever was silent is
 * asked a second time, together with the others once more.
 */
export async function measureSilence(input: SilenceInput): Promise<ReadonlyMap<string, MeasuredSilence>> {
  const controls = pickControls(input.fresh);
  const first = await askRound(input, controls, input.candidates);
  const silent = input.candidates.filter(({ key }) => first.get(key)?.verdict === 'silent');
  if (silent.length === 0) return first;
  const second = await askRound(input, controls, silent);
  return new Map([...first, ...second]);
}

/** Those of them that are asked: some with each family, evenly spread over the list. */
export function pickControls(fresh: readonly LeaseOwner[]): readonly LeaseOwner[] {
  const picked = ([4, 6] as const).flatMap((family) =>
    spread(fresh.filter((owner) => overlayEnds(owner).some((end) => end.family === family))),
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
  controls: readonly LeaseOwner[],
  candidates: readonly LeaseOwner[],
): Promise<ReadonlyMap<string, MeasuredSilence>> {
  const asked = await askOwners(input, [...controls, ...candidates]);
  const controlled = controlledWays(asked.slice(0, controls.length).flat());
  return new Map(
    candidates.map(({ key }, at) => {
      const own = asked[controls.length + at] ?? [];
      return [key, { ...judgeSilence(own, controlled), asked: own }];
    }),
  );
}
