import { assertAccepted, examineConfig } from './config-document.ts';
import { AbsentError, InputError, UsageError } from './errors.ts';
import type { LeaseSession } from './lease-session.ts';
import { type ConfigDifference, configDifferences, strandedBy } from './leases/config-change.ts';
import { leaseName } from './render/lease-table.ts';
import type { NetworkConfig } from './store/config.ts';
import type { LeaseRecord, StoredNetworkConfig } from './store/store.ts';

export interface ConfigChange {
  readonly text: string;
  /** `null`: there is none yet. */
  readonly before: StoredNetworkConfig | null;
  readonly differences: readonly ConfigDifference[];
  /** Leases whose owners would lose their subnet at their next start. */
  readonly stranded: readonly LeaseRecord[];
  readonly warnings: readonly string[];
}

/** What setting this text would do; writes nothing. @throws {InputError} for a text that flannel refuses. */
export async function planChange(session: LeaseSession, text: string, file: string): Promise<ConfigChange> {
  const examined = examineConfig(text, session.store.kind);
  const config = assertAccepted(examined, file);
  const [before, { records }] = await Promise.all([stored(session), session.store.listLeases({ ttl: false })]);
  const old = before === null ? null : examineConfig(before.text, session.store.kind).config;
  return {
    text,
    before,
    differences: configDifferences(before?.text ?? null, text),
    stranded: strandedBy(records, old, config),
    warnings: [...examined.warnings, ...(records.length > 0 ? warningsOfBackend(old, config) : [])],
  };
}

/** What is published with a lease is compared by its peers: until the last of them restarted, two halves do not reach each other. */
function warningsOfBackend(before: NetworkConfig | null, after: NetworkConfig): readonly string[] {
  if (before === null) return [];
  const [was, is] = [before.backend, after.backend].map((one) =>
    one.type === 'vxlan' ? `vxlan, VNI ${one.vni}` : one.name,
  );
  if (was === is) return [];
  return [`the backend changes from ${was} to ${is}: nodes that restart do not reach those that have not yet`];
}

const SHOWN = 8;

/** @throws {UsageError} naming the leases that would be stranded. */
export function assertNobodyStranded({ stranded }: ConfigChange, isForced: boolean): void {
  if (isForced || stranded.length === 0) return;
  const named = stranded.slice(0, SHOWN).map(leaseName).join(', ');
  const more = stranded.length > SHOWN ? ` and ${stranded.length - SHOWN} more` : '';
  throw new UsageError(
    `${stranded.length} leases would lose their subnet at the next start of flanneld: ${named}${more}`,
    {
      hint: 'Pass --force when their nodes are going to be drained and restarted.',
    },
  );
}

/** @throws {ConflictError} when the configuration changed since it was read. */
export function writeChange({ store }: LeaseSession, { text, before }: ConfigChange): Promise<StoredNetworkConfig> {
  return store.writeNetworkConfig(text, before?.modRevision ?? null);
}

async function stored({ store }: LeaseSession): Promise<StoredNetworkConfig | null> {
  try {
    return await store.readNetworkConfig();
  } catch (error) {
    if (error instanceof AbsentError) return null;
    throw error;
  }
}

/** @throws {InputError} for a file without anything in it, which is mostly a pipe whose other end failed. */
export function assertNotEmpty(text: string, file: string): string {
  if (text.trim() !== '') return text;
  throw new InputError(`${file} is empty`);
}
