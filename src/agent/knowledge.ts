import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { Lease, LeaseRecord, SubnetStore } from '../store/store.ts';
import { parseStoredConfig } from '../store/stored-config.ts';
import { isOurs } from './lease-care.ts';
import { isUnanswered } from './problem.ts';
import { type AgentState, readState } from './state-file.ts';
import { parseTold, type Told } from './told.ts';

/** What the overlay of this node is measured by. */
export interface Knowledge {
  readonly config: NetworkConfig;
  readonly records: readonly LeaseRecord[];
  readonly source: string;
  /** From the datastore itself, just now: what it does not name is drift, too. */
  readonly isCurrent: boolean;
  /** When one of the records ends, as {@link LeaseRecord} has it. */
  expiryOf(record: LeaseRecord): Promise<LeaseRecord['expiresAt']>;
  /** Key of this node's lease; `undefined`: it is known by its address. */
  readonly ownKey: string | undefined;
}

export interface KnowInput {
  readonly host: Host;
  readonly store: SubnetStore;
  readonly stateFile: string;
  /** Somebody named the datastore: only it counts. Else what the agent knows is asked first. */
  readonly isNamed: boolean;
}

/** @throws what the datastore throws, when there is no state of an agent either. */
export async function readKnowledge({ host, store, stateFile, isNamed }: KnowInput): Promise<Knowledge> {
  const state = await readState(host, stateFile);
  if (state !== undefined && !isNamed) return fromState(state, stateFile, store.kind);
  try {
    const [stored, { records, source, revision }] = await Promise.all([
      store.readNetworkConfig(),
      store.listLeases({ ttl: false }),
    ]);
    const { config } = parseStoredConfig(stored, store.kind);
    const ownKey = keyOf(state?.own, records) ?? (await store.assigned?.ownKey());
    const expiryOf = async (record: LeaseRecord) => {
      const [timed] = await store.readTimes({ records: [record], revision });
      return timed?.expiresAt;
    };
    return { config, records, source, isCurrent: true, ownKey, expiryOf };
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    if (state === undefined) throw isNamed ? error : unnamed(error, stateFile);
    return fromState(state, stateFile, store.kind);
  }
}

/** The default endpoints were asked, which may be nobody's. */
function unnamed(error: FlannelctlError, stateFile: string): FlannelctlError {
  return new FlannelctlError(error, `${error.message}; and no agent has left ${stateFile}`, {
    cause: error,
    hint: 'Name the datastore: --etcd-endpoints or --kube-subnet-mgr.',
  });
}

/** What the agent here was told: it says so itself, or what it left says so; `undefined`: nobody says, or not to us. */
export async function readTold(
  host: Host,
  { agent, stateFile }: { readonly agent: unknown; readonly stateFile: string },
): Promise<Told | undefined> {
  const said = typeof agent === 'object' && agent !== null && 'told' in agent ? parseTold(agent.told) : undefined;
  try {
    return said ?? (await readState(host, stateFile))?.told;
  } catch (error) {
    // Told by whoever needs the state itself: of an overlay that is down nobody has to read it.
    if (!(error instanceof FlannelctlError)) throw error;
    return undefined;
  }
}

function fromState(state: AgentState, path: string, kind: SubnetStore['kind']): Knowledge {
  const { records, own, savedAt, storeKind = kind } = state;
  const { config } = parseStoredConfig({ text: state.config, source: path }, storeKind);
  const source = `${path} of ${new Date(savedAt).toISOString()}`;
  const ownKey = keyOf(own, records);
  return { config, records, source, isCurrent: false, ownKey, expiryOf: async ({ expiresAt }) => expiresAt };
}

/** The lease that the agent had last, while its record is as the agent published it. */
function keyOf(own: Lease | null | undefined, records: readonly LeaseRecord[]): string | undefined {
  if (!own) return undefined;
  return records.find((record) => record.key === own.key && isOurs(own, record))?.key;
}
