import { AbsentError, ConflictError, UnavailableError } from '../../src/errors.ts';
import type { LeaseAttributes } from '../../src/store/store.ts';
import type { Deed } from './deeds.ts';
import { renewAsFlannel, startAsFlannel } from './flannel-owner.ts';
import { clientOf, count, type Owner, type World } from './world.ts';

/** One operation of an owner that is up: it takes a subnet, or renews the one it has. */
export async function ownerStep(world: World, owner: Owner): Promise<void> {
  if (owner.style === 'flannel') {
    await (owner.lease === undefined ? startAsFlannel(world, owner) : renewAsFlannel(world, owner));
    return;
  }
  try {
    owner.lease = await takeOrRenew(world, owner);
    owner.previousSubnet = owner.lease.subnet ?? undefined;
  } catch (error) {
    // whoever lost its lease, or does not know what became of it, asks for one next time
    if (error instanceof ConflictError) count(world, 'conflicts of owners');
    else if (error instanceof AbsentError) count(world, 'out of subnets');
    else if (!(error instanceof UnavailableError)) throw error;
    owner.lease = undefined;
  }
}

async function takeOrRenew(world: World, owner: Owner) {
  const { lease, attributes, publicIp, previousSubnet } = owner;
  const deed: Deed = lease === undefined ? { kind: 'acquire', publicIp } : { kind: 'renew', lease };
  const store = clientOf(world, () => deed);
  if (lease === undefined) {
    count(world, 'acquisitions');
    return store.acquire({ attributes, ...(previousSubnet === undefined ? {} : { previousSubnet }) });
  }
  count(world, 'renewals');
  if (owner.style === 'ours' || lease.etcdLease === null || world.random.isLucky(0.2)) {
    return store.renew(lease, attributes);
  }
  await keepAlive(world, BigInt(`0x${lease.etcdLease}`).toString());
  return lease;
}

function keepAlive({ turns, time, keptAlive }: World, id: string): Promise<void> {
  return turns.take(async () => {
    time.keepAlive(id);
    const endsAt = time.now() + Math.max(0, time.secondsLeft(id)) * 1000;
    keptAlive.set(id, [...(keptAlive.get(id) ?? []), { at: turns.now, endsAt }]);
  });
}

/** It dies, or comes back: after a pause it goes on with what it knew, after a reboot it has its subnet.env alone. */
export function flip({ random }: World, owner: Owner): void {
  owner.isUp = !owner.isUp;
  if (owner.isUp && random.isLucky(0.5)) owner.lease = undefined;
}

export function attributesOfOwner(index: number, isDual: boolean): LeaseAttributes {
  const mac = `02:00:00:00:00:${(index + 16).toString(16)}`;
  return {
    publicIp: `192.0.2.${index + 1}`,
    publicIpv6: isDual ? `2001:db8::${index + 1}` : null,
    backendType: 'vxlan',
    vtep: { vni: 1, mac },
    vtepV6: isDual ? { vni: 1, mac } : null,
    backendData: null,
    backendV6Data: null,
  };
}
