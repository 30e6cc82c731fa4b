import { applyPlan } from '../dataplane/apply.ts';
import { renderConflist } from '../dataplane/conflist.ts';
import { desiredOverlay } from '../dataplane/desired.ts';
import type { Operation, OverlayPlan } from '../dataplane/entry.ts';
import { removeTrafficRules } from '../dataplane/masquerade.ts';
import { observeOverlay } from '../dataplane/observe.ts';
import { isOwnRecord, readPreviousSubnets } from '../dataplane/own-lease.ts';
import { planOverlay } from '../dataplane/plan.ts';
import { prepareNode } from '../dataplane/program.ts';
import { directTest } from '../dataplane/routing.ts';
import { FlannelctlError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import type { Resident } from '../host/resident.ts';
import { parseCidr } from '../net/cidr.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { SubnetStore } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { readIfThere } from './file-text.ts';
import { holdLock } from './lock.ts';
import { refuseOwner, refuseWithoutRoot } from './owner.ts';
import { type AgentState, readState } from './state-file.ts';

export interface DownInput {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly resident: Pick<Resident, 'hold'>;
  readonly options: FlannelOptions;
  readonly stateFile: string;
  /** `--cni-conf`; `undefined`: what the agent wrote, if it did. */
  readonly cniConf: string | undefined;
  readonly storeKind: SubnetStore['kind'];
  /** Gives the lease back, too; `undefined`: it stays, and the node gets the same subnet again. */
  readonly releaseFrom: SubnetStore | undefined;
}

export interface DownResult {
  /** What was removed, one line each. */
  readonly removed: readonly string[];
  /** What is not ours any more, and why it stays. */
  readonly left: readonly string[];
}

/**
 * Takes the overlay of this node down: links with all on them, direct routes, packet filter rules, subnet.env. What somebody else
 * changed stays.
 *
 * @throws {ConflictError} while an agent or a flanneld runs here; {ApplyError} when the kernel refused something.
 */
export async function takeDown(input: DownInput): Promise<DownResult> {
  await refuseWithoutRoot(input.host);
  if (input.releaseFrom?.kind === 'kube') throw notReleased();
  const lock = await holdLock(input.resident, GOING_DOWN);
  try {
    await refuseOwner(input.host);
    return await removeAll(input);
  } finally {
    await lock.close();
  }
}

function notReleased(): FlannelctlError {
  return new FlannelctlError(
    { code: 'not-applicable', exitCode: 3 },
    'the lease of this node is the podCIDR of its Node, which flannelctl does not give back; nothing was taken down',
    { hint: 'Leave out --release; when the machine is gone for good: kubectl delete node NAME.' },
  );
}

const GOING_DOWN = {
  answer: () => JSON.stringify({ ready: false, problems: ['going down'], lease: null }),
  hint: 'An agent would bring the overlay up again. Stop it first: systemctl stop flannelctl, or SIGTERM to "flannelctl up".',
};

async function removeAll(input: DownInput): Promise<DownResult> {
  const { host, writer, stateFile, releaseFrom } = input;
  const state = await readState(host, stateFile);
  // The file is judged while the device is there to compare it with.
  const file = await judgeSubnetFile(input, state);
  const conflist = await judgeConflistFile(input, state);
  // First: without it the kubelet takes the node for one without a network, and sends no more pods.
  if (conflist.isOurs) await writer.remove(conflist.path);
  const released = releaseFrom === undefined ? [] : await release(input, releaseFrom);
  const plan = await planDown(input, state);
  if (plan.operations.length > 0) await applyPlan({ writer, plan, reobserve: () => planDown(input, state) });
  const { changes } = await removeTrafficRules({ host, writer });
  if (file.isOurs) await writer.remove(file.path);
  if (state !== undefined) await writer.remove(stateFile);
  const files = [conflist, file];
  const gone = files.flatMap(({ isOurs, path }) => (isOurs ? path : []));
  return {
    removed: [...plan.operations.map(nameOf), ...changes, ...gone, ...released],
    left: files.flatMap(({ path, reason }) => (reason === undefined ? [] : `${path}: ${reason}`)),
  };
}

/** Our links, and the routes of ours that are on none of them. */
async function planDown(input: DownInput, state: AgentState | undefined): Promise<OverlayPlan> {
  const actual = await observeOverlay(input.host);
  const links = actual.links.filter(({ device }) => state === undefined || state.devices.includes(device));
  const operations = [...(await directRoutes(input, state)), ...links].map(
    (entry): Operation => ({ verb: 'delete', entry, subject: 'node' }),
  );
  return { operations };
}

async function directRoutes({ host, options, storeKind }: DownInput, state: AgentState | undefined) {
  if (state === undefined) return [];
  const { config } = parseStoredConfig({ text: state.config, source: 'the state file' }, state.storeKind ?? storeKind);
  if (config.backend.type !== 'vxlan' || !(config.backend.directRouting || options.ipBlackholeRoute)) return [];
  const { underlay, actual, hasBlackhole } = await prepareNode(config, { options, host });
  const isDirect = directTest(actual.routes);
  const { own, records: leases } = state;
  const desired = desiredOverlay({ config, own, underlay, leases, isDirect, hasBlackhole });
  const kept = planOverlay(desired, actual, { removals: false }).operations.filter(({ verb }) => verb === 'keep');
  return kept.flatMap(({ entry }) => (entry.kind === 'route' && entry.device === null ? [entry] : []));
}

interface JudgedFile {
  readonly path: string;
  readonly isOurs: boolean;
  /** Why it stays. */
  readonly reason?: string;
}

/** Ours is what we wrote; without a record of that, one that names the subnet of our device. */
async function judgeSubnetFile({ host, options }: DownInput, state: AgentState | undefined): Promise<JudgedFile> {
  const path = state?.subnetFile ?? options.subnetFile;
  const text = await readIfThere(host, path);
  if (text === undefined) return { path, isOurs: false };
  if (state?.subnetEnv === text) return { path, isOurs: true };
  if (state?.subnetEnv) return { path, isOurs: false, reason: 'somebody else changed it' };
  const { addresses } = await observeOverlay(host);
  const { previousSubnet, previousIpv6Subnet } = await readPreviousSubnets(host, path);
  const networks = addresses.map(({ address }) => parseCidr(address)?.network);
  const isOurs = [previousSubnet, previousIpv6Subnet].some(
    (one) => one !== undefined && networks.includes(parseCidr(one)?.network),
  );
  return isOurs ? { path, isOurs } : { path, isOurs, reason: 'it is not of the device that is here' };
}

/** Ours is what we wrote; where the file is named, also what we would write. */
async function judgeConflistFile(input: DownInput, state: AgentState | undefined): Promise<JudgedFile> {
  const { host, options, cniConf } = input;
  const path = cniConf ?? state?.conflist?.path;
  const text = path === undefined ? undefined : await readIfThere(host, path);
  if (path === undefined || text === undefined) return { path: '', isOurs: false };
  const ours = [
    ...(state?.conflist?.path === path ? [state.conflist.text] : []),
    ...(cniConf === undefined ? [] : [renderConflist(options)]),
  ];
  return ours.includes(text)
    ? { path, isOurs: true }
    : { path, isOurs: false, reason: 'it is not what the agent wrote' };
}

async function release({ host, options }: DownInput, store: SubnetStore): Promise<readonly string[]> {
  const { config } = parseStoredConfig(await store.readNetworkConfig(), store.kind);
  const { underlay } = await prepareNode(config, { options, host });
  const { records } = await store.listLeases({ ttl: false });
  const own = records.filter((record) => isOwnRecord(record, underlay));
  for (const record of own) await store.remove(record);
  return own.map(({ key }) => `lease ${key}`);
}

function nameOf({ entry }: Operation): string {
  return entry.kind === 'route' ? `route ${entry.dst}` : `${entry.kind} ${entry.device}`;
}
