import { flip, ownerStep } from './owners.ts';
import type { Past } from './past.ts';
import { type Machine, prune } from './pruning.ts';
import { restore } from './restoring.ts';
import { administer, passTime } from './surroundings.ts';
import type { Owner, World } from './world.ts';

/** Operations under way at one time. */
const MOST_AT_ONCE = 6;
const BEGIN = 0.3;
const FLIP = 0.08;

/** Whoever does one thing at a time. */
type Actor = Owner | Machine | 'the clock' | 'an administrator';

interface Step {
  readonly actor: Actor;
  readonly work: () => Promise<void>;
}

/** Begins `steps` operations, lets their calls reach etcd in an order that the seed decides, and checks what the history tells. */
export async function runSteps(world: World, past: Past, steps: number): Promise<void> {
  const { turns, random } = world;
  const actors = castOf(world);
  const busy = new Set<Actor>();
  const failures: unknown[] = [];
  const begin = ({ actor, work }: Step) => {
    busy.add(actor);
    const end = () => busy.delete(actor);
    work().then(end, (error: unknown) => failures.push(error));
  };
  for (let begun = 0; ; ) {
    await turns.settle();
    past.tell();
    if (failures.length > 0) throw failures[0];
    const canBegin = begun < steps && busy.size < MOST_AT_ONCE;
    if (canBegin && (busy.size === 0 || random.isLucky(BEGIN))) {
      const step = chooseStep(world, actors, busy);
      if (step === undefined) continue;
      begin(step);
      begun += 1;
    } else if (!(await turns.give())) {
      if (busy.size > 0) throw new TypeError('somebody waits for something that is no turn');
      if (begun === steps) return;
    }
  }
}

interface Cast {
  readonly pruners: readonly Machine[];
  readonly restorers: readonly Machine[];
}

/** Two machines; each may prune and restore at the same time. */
function castOf({ owners }: World): Cast {
  const machines = () => [
    { name: 'a', owner: owners[0] },
    { name: 'b', owner: undefined },
  ];
  return { pruners: machines(), restorers: machines() };
}

function chooseStep(world: World, { pruners, restorers }: Cast, busy: ReadonlySet<Actor>): Step | undefined {
  const { random, owners } = world;
  const some = random.pick(owners);
  if (some !== undefined && random.isLucky(some.isUp ? FLIP / 2 : FLIP)) flip(world, some);
  const kind = random.below(100);
  const pruner = random.pick(pruners.filter((machine) => !busy.has(machine)));
  if (kind < 12 && pruner !== undefined) return { actor: pruner, work: () => prune(world, pruner) };
  const restorer = random.pick(restorers.filter((machine) => !busy.has(machine)));
  if (kind >= 12 && kind < 18 && restorer !== undefined) return { actor: restorer, work: () => restore(world) };
  if (kind >= 18 && kind < 20 && !busy.has('an administrator')) {
    return { actor: 'an administrator', work: () => administer(world) };
  }
  const owner = random.pick(owners.filter((one) => one.isUp && !busy.has(one)));
  if (owner !== undefined && kind < 92) return { actor: owner, work: () => ownerStep(world, owner) };
  return busy.has('the clock') ? undefined : { actor: 'the clock', work: () => passTime(world) };
}
