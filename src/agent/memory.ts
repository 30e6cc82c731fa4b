import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Lease, LeaseRecord } from '../store/store.ts';
import type { Board } from './board.ts';
import type { WrittenConflist } from './conflist-file.ts';
import { problemText } from './problem.ts';
import { type AgentState, type Place, readMachineId, readState, writeState } from './state-file.ts';
import { toldOf } from './told.ts';
import { pause } from './waker.ts';

/** Changes that come within it are one writing. */
const WRITE_MS = 2500;

/** Writes the state file when what it should say has changed, at most every few seconds; until `signal` aborts. */
export async function keepState(board: Board, signal: AbortSignal): Promise<void> {
  const { clock, log } = board.parts;
  const identity = await identityOf(board.parts.host);
  const before = await conflistBefore(board);
  let written = '';
  let isTold = false;
  while (!signal.aborted) {
    await pause(clock, WRITE_MS, signal);
    const mark = markOf(board);
    if (mark === written || board.lastRound === undefined || board.own.status === 'none') continue;
    if (written === '') await tellOtherCluster(board);
    try {
      await writeState(
        board.parts.writer,
        board.settings.stateFile,
        stateOf(board, { ...identity, conflist: board.conflist ?? before }),
      );
      written = mark;
      isTold = false;
    } catch (error) {
      if (!(error instanceof FlannelctlError)) throw error;
      if (!isTold) log.warn('the state cannot be kept for a start without datastore', { error: problemText(error) });
      isTold = true;
    }
  }
}

/** The last run may have been in another cluster; what it knew does not hold here, and its leases are left to their end there. */
async function tellOtherCluster({ book, settings, parts: { host, log } }: Board): Promise<void> {
  try {
    const state = await readState(host, settings.stateFile);
    if (!state?.clusterId || book.clusterId === null || state.clusterId === book.clusterId) return;
    log.warn('this is another datastore than that of the last run', { before: state.clusterId, now: book.clusterId });
  } catch (error) {
    log.warn('the state of the last run cannot be read and is written anew', { error: problemText(error) });
  }
}

/** Where and what this host is, for comparing a state file with it. */
export async function placeOf(host: Host, rest: Omit<Place, keyof Identity>): Promise<Place> {
  return { ...(await identityOf(host)), ...rest };
}

/** What an agent before this one wrote is still ours. A state that cannot be read says nothing. */
async function conflistBefore({ parts, settings }: Board): Promise<WrittenConflist | undefined> {
  try {
    const before = (await readState(parts.host, settings.stateFile))?.conflist;
    return before?.path === settings.cniConf ? before : undefined;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    return undefined;
  }
}

interface Identity {
  readonly machineId: string;
  readonly node: string;
}

async function identityOf(host: Host): Promise<Identity> {
  const [machineId, { hostname }] = await Promise.all([readMachineId(host), host.identity()]);
  return { machineId, node: hostname };
}

/** Also what has not changed is written anew after that long: somebody may have removed the file, and its age is told at a start. */
const REWRITE_MS = 3_600_000;

/** Changes when the state has to be written anew. */
function markOf({ book, own, configText, lastRound, underlay, conflist, parts }: Board): string {
  const revision = own.status === 'none' ? '' : own.lease?.modRevision;
  const hour = Math.floor(parts.clock.monotonic() / REWRITE_MS);
  const round = [lastRound?.subnetEnv, underlay.publicIp, conflist?.text];
  return [own.status, revision, book.version, configText, ...round, hour].join(' ');
}

function stateOf(board: Board, identity: Pick<AgentState, 'machineId' | 'node' | 'conflist'>): AgentState {
  const { book, own, underlay, settings, lastRound, parts } = board;
  return {
    ...identity,
    publicIp: underlay.publicIp,
    publicIpv6: underlay.publicIpv6,
    prefix: settings.prefix,
    clusterId: book.clusterId,
    storeKind: parts.store.kind,
    savedAt: parts.clock.now(),
    config: board.configText,
    own: own.status === 'none' ? null : own.lease,
    records: book.records,
    devices: lastRound?.desired.devices ?? [],
    subnetFile: settings.options.subnetFile,
    subnetEnv: lastRound?.subnetEnv ?? null,
    told: toldOf(settings.options),
  };
}

/** What a start without a datastore begins with. */
export interface Memory {
  readonly config: string;
  readonly own: Lease | null;
  readonly records: readonly LeaseRecord[];
  /** Of the datastore that the records are of; `null`: not known. */
  readonly clusterId: string | null;
  /** For a person: where it is from and how old it is. */
  readonly source: string;
}
