import { AbsentError, UnavailableError } from '../../src/errors.ts';
import { decideAllocation } from '../../src/store/allocation.ts';
import { allocationConfig } from '../../src/store/allocation-config.ts';
import { freshLease } from '../../src/store/etcd-fresh-lease.ts';
import { keyOfText, listRecords } from '../../src/store/etcd-records.ts';
import type { EtcdOperation } from '../../src/store/etcd-session.ts';
import { encodeLeaseValue } from '../../src/store/lease-value.ts';
import type { Lease } from '../../src/store/store.ts';
import { formatSubnetKey } from '../../src/store/subnet-key.ts';
import { CONFIGS } from './configs.ts';
import { turnedSession } from './session.ts';
import { count, type Owner, type World } from './world.ts';

const DAY_SECONDS = 86_400;

/** flannel local_manager.go:tryAcquireLease: its own lease is put unconditionally, a new one when nobody has the key. */
export function startAsFlannel(world: World, owner: Owner): Promise<void> {
  return asFlannel(world, async (operation) => {
    const { records } = await listRecords(operation, world.prefix, { ttl: false });
    const decision = decideAllocation({
      config: allocationConfig({ text: configOf(world, owner), modRevision: '0', source: 'the model' }),
      ...{ records, request: { attributes: owner.attributes }, random: (limit) => world.random.below(limit) },
    });
    if (decision.kind === 'reuse') {
      await put(world, operation, { owner, key: decision.lease.key });
      owner.lease = decision.lease;
      return;
    }
    const key = formatSubnetKey(decision.pair);
    const isWritten = await put(world, operation, { owner, key, isNew: true });
    if (isWritten) owner.lease = leaseAt(key, owner, decision.pair);
  });
}

/** flannel etcd/registry.go:updateSubnet: a Grant and a Put, whatever stands there. */
export function renewAsFlannel(world: World, owner: Owner): Promise<void> {
  count(world, 'unconditional renewals');
  const { lease } = owner;
  if (lease === undefined) return Promise.resolve();
  return asFlannel(world, async (operation) => {
    await put(world, operation, { owner, key: lease.key });
  });
}

async function asFlannel(world: World, work: (operation: EtcdOperation) => Promise<void>): Promise<void> {
  try {
    await turnedSession(world, () => ({ kind: 'flannel' })).run(work);
  } catch (error) {
    // flanneld tries again a minute later
    if (!(error instanceof UnavailableError || error instanceof AbsentError)) throw error;
  }
}

interface Put {
  readonly owner: Owner;
  readonly key: string;
  /** Only when there is no such key. */
  readonly isNew?: boolean;
}

async function put({ prefix }: World, operation: EtcdOperation, { owner, key, isNew }: Put): Promise<boolean> {
  const fresh = freshLease(operation, DAY_SECONDS);
  const { id } = await fresh.granted();
  const bytes = keyOfText(key, prefix);
  const value = Buffer.from(encodeLeaseValue(owner.attributes));
  const { succeeded } = await operation.write(key, {
    ...(isNew ? { compare: [{ target: 'Version', result: 'Equal', key: bytes, version: '0' }] } : {}),
    success: [{ request_put: { key: bytes, value, lease: id } }],
  });
  if (!succeeded) await fresh.giveBack();
  return succeeded;
}

function leaseAt(key: string, { attributes }: Owner, pair: Pick<Lease, 'subnet' | 'ipv6Subnet'>): Lease {
  const unknown = { expiresAt: undefined, etcdLease: null, modRevision: '0', node: null };
  return { kind: 'lease', key, ...pair, ...unknown, attributes };
}

function configOf(_: World, { attributes }: Owner): string {
  return attributes.publicIpv6 === null ? CONFIGS.ipv4 : CONFIGS.dual;
}
