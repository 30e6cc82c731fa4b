import type { EtcdConnection } from '../../src/store/etcd-connection.ts';
import { CONFIGS } from './configs.ts';
import type { Deed } from './deeds.ts';
import { assertRestorable } from './ending.ts';
import { etcdTime } from './etcd-time.ts';
import { type History, ROOT } from './history.ts';
import { assertAllowed, ownerOf, Violation } from './invariants.ts';
import type { Mutant } from './mutants.ts';
import { attributesOfOwner } from './owners.ts';
import { type Change, pastOf } from './past.ts';
import { seeded } from './random.ts';
import { runSteps } from './steps.ts';
import { takeTurns } from './turns.ts';
import { type Claim, type Counts, noted, type Owner, type World } from './world.ts';

export interface EpisodeOptions {
  readonly seed: number;
  /** Operations of actors. */
  readonly steps: number;
  readonly connection: EtcdConnection;
  readonly history: History;
  readonly mutant: Mutant;
  /** A word that no other episode below the same history has. */
  readonly name: string;
}

export interface EpisodeEnd {
  readonly counts: Counts;
  /** Every change, in order: the same for the same seed. */
  readonly story: readonly string[];
}

/** One world, from an empty prefix to the last restore. @throws {Violation} */
export async function runEpisode(options: EpisodeOptions): Promise<EpisodeEnd> {
  const world = makeWorld(options);
  const story: string[] = [];
  const done = new Map<Deed, Set<string>>();
  const onChange = (change: Change) => {
    story.push(lineOf(change, world.prefix));
    if (change.write !== undefined) keysOf(done, change.write.deed).add(change.key);
    assertAllowed(change, world.keptAlive);
  };
  const past = pastOf({ prefix: world.prefix, writes: world.writes, onChange });
  const stop = options.history.follow(world.prefix, past.hear);
  try {
    await setUp(world);
    await runSteps(world, past, options.steps);
    world.isFaulty = false;
    await assertRestorable(world, past);
    for (const claim of world.claims)
      assertTrue(claim, { lost: world.lost.get(claim.deed), changed: keysOf(done, claim.deed) });
    return { counts: world.counts, story };
  } finally {
    stop();
  }
}

const OWNERS = 10;

function makeWorld({ seed, name, connection, mutant }: EpisodeOptions): World {
  const random = seeded(seed);
  const isDual = random.isLucky(0.25);
  const styles = random.pick<readonly Owner['style'][]>([['ours'], ['ours', 'keep-alive'], STYLES]) ?? STYLES;
  const owners = Array.from({ length: OWNERS }, (_, index): Owner => {
    const attributes = attributesOfOwner(index, isDual);
    const style = random.pick(styles) ?? 'ours';
    const knows = { lease: undefined, previousSubnet: undefined };
    return { attributes, publicIp: attributes.publicIp ?? '', style, isUp: true, ...knows };
  });
  return {
    ...{ random, owners, connection, mutant, prefix: `${ROOT}/${name}`, isFaulty: true },
    ...{ turns: takeTurns(random), time: etcdTime(Date.UTC(2026, 0)), writes: new Map(), lost: new Map() },
    ...{ files: new Map(), keptAlive: new Map(), claims: [], counts: new Map() },
  };
}

const STYLES = ['ours', 'keep-alive', 'flannel'] as const;

async function setUp(world: World): Promise<void> {
  const [owner] = world.owners;
  const text = owner?.attributes.publicIpv6 === null ? CONFIGS.ipv4 : CONFIGS.dual;
  await noted(world, `${world.prefix}/config`, text);
}

/** Nothing of it differs from run to run. */
function lineOf({ write, key, after }: Change, prefix: string): string {
  return `${write?.deed.kind} ${key.replace(prefix, '')} ${after === undefined ? 'deleted' : ownerOf(after)}`;
}

interface Truth {
  /** Objects of writes whose answer was lost. */
  readonly lost: ReadonlySet<string> | undefined;
  /** What really was changed on behalf of the same operation. */
  readonly changed: ReadonlySet<string>;
}

/** What was said to be done was done, and nothing else; who lost an answer may be mistaken. */
function assertTrue({ key, isDone }: Claim, { lost, changed }: Truth): void {
  if (lost?.has(key) || lost?.has(`the removal of ${key}`) || changed.has(key) === isDone) return;
  throw new Violation(`${key} was said to be ${isDone ? 'changed' : 'kept'}, and was ${isDone ? 'kept' : 'changed'}`);
}

function keysOf(done: Map<Deed, Set<string>>, deed: Deed): Set<string> {
  const keys = done.get(deed) ?? new Set();
  done.set(deed, keys);
  return keys;
}
