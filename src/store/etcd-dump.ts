import type { IKeyValue } from 'etcd3';
import { leaseText } from './etcd-lease-id.ts';
import { type EtcdPage, readPages } from './etcd-pages.ts';
import { type KeyNamer, keyNamer, subnetsRange } from './etcd-records.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { type Expiries, expiryOf, readExpiries } from './etcd-times.ts';
import type { DumpedRecord, DumpOptions, StoreDump } from './store.ts';

/** Records and configuration in one revision. */
export async function dumpEtcd(
  operation: EtcdOperation,
  { prefix, configKey }: { readonly prefix: string; readonly configKey: Buffer },
  { keys }: DumpOptions = {},
): Promise<StoreDump> {
  const nameOf = keyNamer(prefix);
  const records: DumpedRecord[] = [];
  let last: EtcdPage | undefined;
  for await (const page of readPages(operation, { range: subnetsRange(prefix) })) {
    if (page.isFirst) records.length = 0;
    const wanted = page.kvs.filter(({ key }) => keys?.has(nameOf(key)) !== false);
    const expiries = await readExpiries(
      operation,
      wanted.map((kv) => leaseText(kv.lease)),
    );
    for (const kv of wanted) records.push(dumpRecord(kv, nameOf, expiries));
    last = page;
  }
  const { revision = '0', clusterId = null } = last ?? {};
  const config = await readAt(operation, configKey, revision);
  return { revision, clusterId, prefix, config: config?.value.toString('utf8') ?? null, records };
}

function dumpRecord(kv: IKeyValue, nameOf: KeyNamer, expiries: Expiries): DumpedRecord {
  const etcdLease = leaseText(kv.lease);
  const expiresAt = expiryOf({ etcdLease }, expiries) ?? null;
  return {
    key: nameOf(kv.key),
    valueBase64: kv.value.toString('base64'),
    modRevision: kv.mod_revision,
    etcdLease,
    ttlSeconds: expiresAt === null ? null : Math.max(0, Math.round((expiresAt - Date.now()) / 1000)),
  };
}

function readAt(operation: EtcdOperation, key: Buffer, revision: string): Promise<IKeyValue | undefined> {
  return operation.read(async ({ kv, options }) => (await kv.range({ key, revision }, options)).kvs[0]);
}
