import { observeDevices } from '../dataplane/observe.ts';
import { findOwnRecord, isOwnRecord, readPreviousSubnets, refuseHeldSubnets } from '../dataplane/own-lease.ts';
import { refuseConflict } from '../dataplane/program.ts';
import type { Host } from '../host/host.ts';
import type { AcquireRequest, Lease, LeaseAttributes, LeasePage, LeaseRecord } from '../store/store.ts';
import type { Board } from './board.ts';
import { refuseForeignCluster } from './cluster.ts';
import { isOurs } from './lease-care.ts';
import { heldLease, isHeldByAnother, tellNewSubnet } from './lease-keeper.ts';
import { podsOf } from './pods.ts';
import { wantedAttributes } from './wanted.ts';

/**
 * Takes the lease, or takes it again: only when no other host holds what this node uses. Otherwise a conflict, which is kept and told;
 * with `--on-conflict reallocate` another subnet is taken, once no pod is in the way.
 */
export async function acquireOwn(board: Board, known?: LeasePage): Promise<void> {
  const { store, host } = board.parts;
  const listing = known ?? (await listOf(board));
  const records = listing?.records ?? board.book.records;
  if (board.own.status === 'none') await keepPublishedMac(board, records);
  const used = await subnetsInUse(board);
  const isAllocated = store.assigned === undefined;
  const message = isAllocated ? await conflictOf(board, used, records) : doubleOf(board, records);
  if (message !== undefined) return resolveConflict(board, used, message);
  const request = requestOf(board, used);
  const lease = await store.acquire({ ...request, ...(listing !== undefined && { listing }) });
  const [subnet] = used;
  if (
    isAllocated &&
    board.own.status !== 'none' &&
    subnet !== undefined &&
    !used.includes(lease.subnet ?? lease.ipv6Subnet ?? '')
  ) {
    await store.remove(lease);
    return resolveConflict(
      board,
      used,
      `${subnet} is no longer free: another host took it while this one asked for it`,
    );
  }
  await settleHeld(board, { lease, asked: request.attributes, previous: await previousOf(host, board) });
}

/** `undefined`: where nothing is chosen the watch has said enough; a node that waits for its podCIDR need not list all others again and again. */
async function listOf(board: Board): Promise<LeasePage | undefined> {
  const { parts, book } = board;
  if (parts.store.assigned !== undefined && book.source === 'datastore') return undefined;
  const listing = await parts.store.listLeases({ ttl: false });
  refuseForeignCluster(board, listing);
  return listing;
}

/** A device that has to be made anew, after a reboot, is given the MAC that the peers have of this node. */
async function keepPublishedMac(board: Board, records: readonly LeaseRecord[]): Promise<void> {
  const published = findOwnRecord(records, board.underlay, await board.parts.store.assigned?.ownKey());
  if (published === undefined) return;
  const { links } = await observeDevices(board.parts.host);
  if (links.length > 0) return;
  board.wanted = wantedAttributes(
    { status: 'remembered', lease: published },
    { request: { attributes: board.wanted } },
  );
}

/** CIDR notation, IPv4 first; empty: nothing is used yet. */
async function subnetsInUse(board: Board): Promise<readonly string[]> {
  const { own } = board;
  if (own.status === 'conflict') return own.used;
  if (own.status !== 'none') return subnetsOf(own.lease);
  return previousOf(board.parts.host, board);
}

async function previousOf(host: Host, { settings }: Board): Promise<readonly string[]> {
  const { previousSubnet, previousIpv6Subnet } = await readPreviousSubnets(host, settings.options.subnetFile);
  return [previousSubnet, previousIpv6Subnet].filter((subnet) => subnet !== undefined);
}

/** Why this node's subnet cannot be (or stay) ours, naming both owners; `undefined`: it can. */
async function conflictOf(
  board: Board,
  used: readonly string[],
  records: readonly LeaseRecord[],
): Promise<string | undefined> {
  const { underlay, parts } = board;
  const double = doubleOf(board, records);
  if (double !== undefined) return double;
  try {
    if (board.own.status === 'none') {
      const actual = await observeDevices(parts.host);
      refuseConflict({ underlay, actual, request: requestOf(board, used) }, records);
    } else if (!isStillOurs(board, records)) refuseHeldSubnets(used, underlay, records);
    return undefined;
  } catch (error) {
    if (!isHeldByAnother(error)) throw error;
    return `${error.message}. ${error.hint} To give this node another subnet: flannelctl up --on-conflict reallocate`;
  }
}

/** Our own record stands: whoever has another that overlaps it came later, and is told of. */
function isStillOurs({ own, underlay }: Board, records: readonly LeaseRecord[]): boolean {
  const key = own.status === 'none' ? undefined : own.lease?.key;
  return records.some((record) => record.key === key && isOwnRecord(record, underlay));
}

/**
 * A record with our address and another VTEP MAC, under our key, or, while we have none, under any: an agent on another host has our
 * address, and to take that lease would be to take its. In Kubernetes our Node with another address or MAC: another host has its name.
 * Of what happened before our start nothing of the kind can be said.
 */
function doubleOf({ own, underlay, parts }: Board, records: readonly LeaseRecord[]): string | undefined {
  if (own.status === 'none' || own.status === 'remembered' || own.lease === null) return undefined;
  const { lease } = own;
  const isAssigned = parts.store.assigned !== undefined;
  const [record] = records
    .filter(({ key }) => key === lease.key || (own.status === 'lost' && !isAssigned))
    .filter(isDouble);
  if (record === undefined) return undefined;
  const address = underlay.publicIp ?? underlay.publicIpv6;
  const [theirs, ours] = [record, lease].map(({ attributes: { publicIp, publicIpv6, vtep, vtepV6 } }) => ({
    address: publicIp ?? publicIpv6,
    mac: vtep?.mac ?? vtepV6?.mac ?? 'no MAC',
  }));
  return isAssigned
    ? `node ${lease.key} is also written by another agent: it publishes ${theirs?.address} with ${theirs?.mac}, this node ${ours?.address} with ${ours?.mac}. Find out which host has the name ${lease.key} as well; when a person wrote it, restart flannelctl up`
    : `the lease ${record.key} of ${address} is written by another agent with that address: it publishes ${theirs?.mac}, this node (${lease.key}) ${ours?.mac}. Give one of the two hosts another address, or stop its agent`;

  function isDouble(one: LeaseRecord): one is Lease {
    return one.kind === 'lease' && (isAssigned || isOwnRecord(one, underlay)) && !isOurs(lease, one);
  }
}

async function resolveConflict(board: Board, used: readonly string[], message: string): Promise<void> {
  const { settings, parts, own } = board;
  const lease = own.status === 'none' ? null : own.lease;
  const before = own.status;
  board.own = { status: 'conflict', lease, used, message };
  if (before !== 'conflict') board.look.ring('the lease is held by another host');
  if (settings.onConflict === 'fail' || parts.store.assigned !== undefined) return;
  const pods = settings.force ? [] : await podsOf(parts.host, used);
  if (pods.length > 0) {
    const names = pods.slice(0, 3).join(', ');
    board.own = {
      ...board.own,
      message: `${message}. It is not done while pods use the old one: ${names}; drain the node`,
    };
    return;
  }
  const asked = board.wanted;
  const fresh = await parts.store.acquire({ attributes: asked });
  parts.log.warn('took another subnet', { before: used.join(','), now: fresh.subnet ?? fresh.ipv6Subnet });
  await settleHeld(board, { lease: fresh, asked, previous: [] });
}

interface Acquired {
  readonly lease: Lease;
  /** What was asked to be published: what should be may have changed while the datastore was asked. */
  readonly asked: LeaseAttributes;
  readonly previous: readonly string[];
}

async function settleHeld(board: Board, { lease, asked, previous }: Acquired): Promise<void> {
  const { log } = board.parts;
  const before = board.own;
  board.own = heldLease(board, lease, asked);
  board.inDoubt = false;
  tellNewSubnet(board, before);
  const subnet = lease.subnet ?? lease.ipv6Subnet;
  log.info('lease acquired', { subnet, again: previous.includes(subnet ?? '') });
  board.look.ring('the lease was acquired');
  board.acquired.ring('the lease was acquired');
}

function requestOf({ wanted }: Board, used: readonly string[]): AcquireRequest {
  const ipv4 = used.find((subnet) => !subnet.includes(':'));
  const ipv6 = used.find((subnet) => subnet.includes(':'));
  return {
    attributes: wanted,
    ...(ipv4 !== undefined && { previousSubnet: ipv4 }),
    ...(ipv6 !== undefined && { previousIpv6Subnet: ipv6 }),
  };
}

function subnetsOf({ subnet, ipv6Subnet }: Lease): readonly string[] {
  return [subnet, ipv6Subnet].filter((text) => text !== null);
}
