import { FlannelctlError, UsageError } from '../../src/errors.ts';
import { judgeLeases } from '../../src/leases/judged.ts';
import { assertAllowed, type MeasureOwners, makePlan, removalOf } from '../../src/leases/prune.ts';
import type { PrunePlan } from '../../src/leases/prune-plan.ts';
import type { RemoveOutcome } from '../../src/leases/remove.ts';
import type { LeaseScene } from '../../src/leases/states.ts';
import type { Silence } from '../../src/probe/silence-verdict.ts';
import type { Lease, LeaseRecord } from '../../src/store/store.ts';
import type { PruneDeed } from './deeds.ts';
import { backupTools, clientOf, count, type Owner, type World } from './world.ts';

/** Long, so that much is overdue; never a whole number of the steps in which time passes. */
export const MARGIN_SECONDS = 43_200 + 300;

/** Where prune runs: on the host of an owner, or on a machine that has no lease. */
export interface Machine {
  readonly name: string;
  readonly owner: Owner | undefined;
}

/** `flannelctl leases prune`, from the listing to the last deletion; now and then for some subnets alone. */
export async function prune(world: World, machine: Machine): Promise<void> {
  const deed: PruneDeed = {
    kind: 'prune',
    ownIp: machine.owner?.publicIp ?? null,
    ...{ measured: new Map(), planned: new Map(), listedAt: 0, saved: new Map() },
  };
  try {
    const plan = await plannedBy(world, machine, deed);
    count(world, 'plans');
    // somebody reads it and says yes
    await world.turns.take(async () => undefined);
    assertAllowed(plan);
    if (plan.deletions.length > 0) claim(world, deed, await carryOut(world, deed, plan));
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    count(world, error instanceof UsageError ? 'plans that must not be carried out' : 'prunes that failed');
  }
}

async function plannedBy(world: World, machine: Machine, deed: PruneDeed): Promise<PrunePlan> {
  const { records } = await clientOf(world, () => deed).listLeases();
  deed.listedAt = world.turns.now;
  const subnets = someSubnets(world, records);
  const max = world.random.isLucky(0.5) ? null : records.length;
  const judged = judgeLeases(records, sceneOf(machine));
  const choice = { subnets, isForced: false, max, nodesProblem: null };
  const { plan } = await makePlan(judged, choice, (candidates) => measureAll(world, deed, candidates));
  return plan;
}

function someSubnets({ random }: World, records: readonly LeaseRecord[]): readonly string[] | undefined {
  if (!random.isLucky(0.25)) return undefined;
  const picked = [random.pick(records), random.pick(records)];
  return picked.flatMap((record) => (record === undefined || record.kind === 'malformed-key' ? [] : record.key));
}

function sceneOf({ owner }: Machine): LeaseScene {
  const addresses = owner === undefined ? [] : [owner.publicIp];
  const vtepMacs = owner?.attributes.vtep == null ? [] : [owner.attributes.vtep.mac];
  return {
    // the store tells times by this clock
    now: Date.now(),
    storeKind: 'etcd',
    config: null,
    marginSeconds: MARGIN_SECONDS,
    self: { addresses, vtepMacs, subnetAddresses: [] },
    nodes: null,
  };
}

const UNKNOWN = 0.05;
const COMES_BACK = 0.2;

async function measureAll(world: World, deed: PruneDeed, candidates: readonly Lease[]): ReturnType<MeasureOwners> {
  const found = new Map<string, Silence>();
  for (const lease of candidates) found.set(lease.key, await measure(world, deed, lease));
  return found;
}

/** The truth of the moment; who was silent may be back right after. */
function measure(world: World, deed: PruneDeed, { key, attributes }: Lease): Promise<Silence> {
  return world.turns.take(async () => {
    const ip = attributes.publicIp;
    const owner = world.owners.find(({ publicIp }) => publicIp === ip);
    const truth = owner?.isUp ? 'answers' : 'silent';
    const verdict = world.random.isLucky(UNKNOWN) ? 'unknown' : truth;
    deed.measured.set(key, verdict);
    count(world, `owners that were ${verdict}`);
    if (owner !== undefined && world.random.isLucky(COMES_BACK)) owner.isUp = true;
    return world.mutant.silence({ verdict, because: { en: verdict, zh: verdict } });
  });
}

async function carryOut(world: World, deed: PruneDeed, { deletions }: PrunePlan): Promise<RemoveOutcome> {
  for (const lease of deletions) deed.planned.set(lease.record.key, removalOf(lease));
  return world.mutant.remove(deletions, {
    ...backupTools(world, deed),
    ...{ store: clientOf(world, () => deed), directory: '/backups', what: 'prune', say: () => undefined },
    signal: new AbortController().signal,
  });
}

function claim(world: World, deed: PruneDeed, outcome: RemoveOutcome): void {
  const { claims } = world;
  for (const { record } of outcome.deleted) claims.push({ deed, key: record.key, isDone: true });
  for (const { removal } of outcome.changed) claims.push({ deed, key: removal.record.key, isDone: false });
  for (const { record } of outcome.untried) claims.push({ deed, key: record.key, isDone: false });
  count(world, 'records deleted by prune', outcome.deleted.length);
  count(world, 'kept because they changed', outcome.changed.length);
  count(world, 'deletions that failed', outcome.failed.length);
}
