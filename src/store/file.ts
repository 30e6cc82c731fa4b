import { AbsentError, ConflictError, UnavailableError } from '../errors.ts';
import type { Clock } from '../host/clock.ts';
import type { Host, HostWriter } from '../host/host.ts';
import { allocationConfig } from './allocation-config.ts';
import { acquireInDocument } from './file-acquire.ts';
import {
  type Changed,
  dumpDocument,
  putBackInDocument,
  recordsOf,
  removeFromDocument,
  renewInDocument,
} from './file-change.ts';
import {
  documentPath,
  EMPTY_DOCUMENT,
  type FileDocument,
  formatDocument,
  readDocument,
  withoutExpired,
} from './file-document.ts';
import { withLock } from './file-lock.ts';
import { watchFile } from './file-watch.ts';
import type { FileSelection, LeaseRecord, StoredNetworkConfig, SubnetStore } from './store.ts';

export interface FileStoreOptions {
  readonly selection: FileSelection;
  readonly host: Host;
  readonly writer: HostWriter;
  readonly clock: Clock;
}

/** Leases in one JSON document, safe for several processes: readers see whole documents, writers take turns. */
export function fileStore(options: FileStoreOptions): SubnetStore {
  const { selection } = options;
  const description = `file ${selection.path}`;
  const file = openFile(options);
  const list: SubnetStore['listLeases'] = async ({ ttl = true, onPage } = {}) => {
    const document = await file.read();
    const revision = String(document.revision);
    const records = recordsOf(document, { ttl });
    onPage?.({ records, revision });
    return { records, revision, clusterId: null, source: description };
  };
  return {
    kind: 'file',
    description,
    readNetworkConfig: async () => storedConfig(await file.read(), selection.path),
    writeNetworkConfig: (text, expected) =>
      file.change((document) => {
        const found = document.config === null ? null : String(document.config.modRevision);
        if (found !== expected) throw configConflict(selection.path, found, expected);
        const revision = document.revision + 1;
        const next = { ...document, revision, config: { value: text, modRevision: revision } };
        return { next, result: storedConfig(next, selection.path) };
      }),
    listLeases: list,
    readTimes: async (page, onPage) => {
      const timed = withCurrentEnds(page.records, (await list()).records, options.clock.now());
      onPage?.({ records: timed, revision: page.revision });
      return timed;
    },
    acquire: (request) =>
      file.change((document, now) => {
        const config = allocationConfig(storedConfig(document, selection.path));
        return acquireInDocument({ document, config, request, now });
      }),
    renew: (lease, attributes) => file.change((document, now) => renewInDocument(document, { lease, attributes, now })),
    remove: (record, { unlessTtlAboveSeconds: most } = {}) =>
      file.change((document, now) => removeFromDocument(document, { record, most, now })),
    dump: async ({ keys } = {}) => {
      const dump = dumpDocument(await file.read(), { path: selection.path, now: options.clock.now() });
      return { ...dump, records: dump.records.filter(({ key }) => keys?.has(key) !== false) };
    },
    putBack: (dumped, ttlSeconds) =>
      file.change((document, now) => putBackInDocument(document, { dumped, ttlSeconds, now })),
    watch: (signal, { ttl = true, ...more } = {}) =>
      watchFile({ ...more, signal, clock: options.clock, list: () => list({ ttl }) }),
    close: async () => undefined,
  };
}

/** A record that is not there any more has no time left. */
function withCurrentEnds(
  records: readonly LeaseRecord[],
  current: readonly LeaseRecord[],
  now: number,
): readonly LeaseRecord[] {
  const ends = new Map(current.map(({ key, expiresAt }) => [key, expiresAt]));
  return records.map((record) => ({ ...record, expiresAt: ends.has(record.key) ? ends.get(record.key) : now }));
}

/** Raw records, past all rules: what the drill needs to break a store. `path` as in {@link FileSelection}. */
export function rawFileRecords(options: {
  readonly host: Host;
  readonly writer: HostWriter;
  readonly path: string;
  readonly clock: Clock;
}) {
  const file = openFile({ ...options, selection: { kind: 'file', path: options.path } });
  return {
    get: async (key: string): Promise<string | undefined> => (await file.read()).records[key]?.value,
    /** Keeps the time of a record that is there, unless a TTL is given; a new one has none. */
    put: (key: string, value: string, { ttlSeconds }: { readonly ttlSeconds?: number } = {}): Promise<void> =>
      file.change((document, now) => {
        const revision = document.revision + 1;
        const kept = document.records[key]?.expiresAt ?? null;
        const expiresAt = ttlSeconds === undefined ? kept : now + ttlSeconds * 1000;
        const record = { value, modRevision: revision, expiresAt };
        return { next: { ...document, revision, records: { ...document.records, [key]: record } }, result: undefined };
      }),
    /** No error when it is not there. */
    delete: (key: string): Promise<void> =>
      file.change((document) => {
        const { [key]: _, ...records } = document.records;
        return { next: { ...document, revision: document.revision + 1, records }, result: undefined };
      }),
  };
}

type Change<T> = (document: FileDocument, now: number) => Changed<T>;

function openFile({ selection, host, writer, clock }: FileStoreOptions) {
  return {
    read: async (): Promise<FileDocument> => {
      const path = await documentPath(host, selection.path);
      const document = await readDocument(host, path);
      // a mistyped path must not look like a store whose leases are all gone
      if (document === undefined) throw new UnavailableError('unreachable', `file store ${path} does not exist`);
      return withoutExpired(document, clock.now());
    },
    change: async <T>(change: Change<T>): Promise<T> => {
      const path = await documentPath(host, selection.path);
      return withLock({ host, writer, clock }, `${path}.lock`, async (assertHeld) => {
        const document = (await readDocument(host, path)) ?? EMPTY_DOCUMENT;
        const { next, result } = change(withoutExpired(document, clock.now()), clock.now());
        await assertHeld();
        await writer.writeFile(path, formatDocument(next), { mode: 0o600 });
        return result;
      });
    },
  };
}

function storedConfig({ config }: FileDocument, path: string): StoredNetworkConfig {
  if (config !== null) return { text: config.value, modRevision: String(config.modRevision), source: path };
  throw new AbsentError(`file store ${path} has no network configuration`, {
    hint: 'Write one with "flannelctl config set FILE".',
  });
}

function configConflict(path: string, found: string | null, expected: string | null): ConflictError {
  const was = expected === null ? 'there is one already' : `it is at revision ${found ?? 'none'}, not ${expected}`;
  return new ConflictError(`the network configuration in ${path} was not written: ${was}`, {
    hint: 'Read it again with "flannelctl config get".',
  });
}
