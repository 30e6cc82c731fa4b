import type { IKeyValue } from 'etcd3';
import { type EtcdPage, readPages } from './etcd-pages.ts';
import { keyTextOf, leaseText, subnetsRange } from './etcd-records.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { type LeaseTimes, leaseTimes } from './etcd-times.ts';
import type { DumpedRecord, DumpOptions, StoreDump } from './store.ts';

/** Records and configuration in one revision. */
export async function dumpEtcd(
  operation: EtcdOperation,
  { prefix, configKey }: { readonly prefix: string; readonly configKey: Buffer },
  { keys }: DumpOptions = {},
): Promise<StoreDump> {
  const times = leaseTimes(operation);
  const records: DumpedRecord[] = [];
  let last: EtcdPage | undefined;
  for await (const page of readPages(operation, { range: subnetsRange(prefix) })) {
    if (page.isFirst) records.length = 0;
    const wanted = page.kvs.filter(({ key }) => keys?.has(keyTextOf(key, prefix)) !== false);
    records.push(...(await Promise.all(wanted.map((kv) => dumpRecord(kv, prefix, times)))));
    last = page;
  }
  const { revision = '0', clusterId = null } = last ?? {};
  const config = await readAt(operation, configKey, revision);
  return { revision, clusterId, prefix, config: config?.value.toString('utf8') ?? null, records };
}

async function dumpRecord(kv: IKeyValue, prefix: string, times: LeaseTimes): Promise<DumpedRecord> {
  const expiresAt = await times.expiryOf(kv.lease);
  return {
    key: keyTextOf(kv.key, prefix),
    valueBase64: kv.value.toString('base64'),
    modRevision: kv.mod_revision,
    etcdLease: leaseText(kv.lease),
    ttlSeconds: expiresAt === null ? null : Math.max(0, Math.round((expiresAt - Date.now()) / 1000)),
  };
}

function readAt(operation: EtcdOperation, key: Buffer, revision: string): Promise<IKeyValue | undefined> {
  return operation.read(async ({ kv, options }) => (await kv.range({ key, revision }, options)).kvs[0]);
}
