import { UnavailableError } from '../../src/errors.ts';
import { freshLease } from '../../src/store/etcd-fresh-lease.ts';
import { keyOfText } from '../../src/store/etcd-records.ts';
import type { Deed } from './deeds.ts';
import { turnedSession } from './session.ts';
import type { World } from './world.ts';

const STEP_SECONDS = 600;
const MOST_STEPS = 30;

/** Some hours pass, and etcd ends the leases whose time is over, with their keys. */
export async function passTime(world: World): Promise<void> {
  const { time, random } = world;
  await world.turns.take(async () => time.advance(STEP_SECONDS * random.below(MOST_STEPS)));
  const session = turnedSession({ ...world, isFaulty: false }, () => ({ kind: 'expiry' }));
  await session.read(async ({ lease, options }) => {
    // one after the other, so that the same seed tells the same story
    for (const id of time.ended()) await lease.leaseRevoke({ ID: id }, options);
  });
}

/** Somebody keeps a subnet for later, or leaves behind what nobody understands. */
export async function administer(world: World): Promise<void> {
  const { random, prefix } = world;
  const deed: Deed = { kind: 'administration' };
  const key =
    random.pick([`10.9.${random.below(16)}.0-24`, `10.9.${random.below(8) * 2}.0-23`, `junk-${random.below(9)}`]) ?? '';
  const value = random.pick(['', '{}', 'no json', '{"PublicIP":"192.0.2.200"}']) ?? '';
  try {
    await turnedSession(world, () => deed).run(async (operation) => {
      const fresh = random.isLucky(0.3) ? freshLease(operation, 86_400) : undefined;
      const id = (await fresh?.granted())?.id ?? '0';
      const bytes = keyOfText(key, prefix);
      // never over a lease: an administrator looks first
      await operation.write(key, {
        compare: [{ target: 'Version', result: 'Equal', key: bytes, version: '0' }],
        success: [{ request_put: { key: bytes, value: Buffer.from(value), lease: id } }],
      });
    });
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  }
}
