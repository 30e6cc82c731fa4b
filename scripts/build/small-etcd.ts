import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs/light.js';
import { etcdDescriptor } from '../../src/generated/etcd-descriptor.ts';

export interface SmallEtcd {
  readonly endpoint: string;
  close(): void;
}

const CONFIG = '{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}';
const LEASE =
  '{"PublicIP":"172.16.0.2","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:02"}}';
const HEADER = { revision: '7', cluster_id: '1' };

/** Answers reads as an etcd with a hundred leases does, for the commands that are run to fill V8's caches. */
export async function startSmallEtcd(): Promise<SmallEtcd> {
  const root = protobuf.Root.fromJSON(JSON.parse(etcdDescriptor));
  const encode = (type: string, message: object) => {
    const found = root.lookupType(`etcdserverpb.${type}`);
    return found.encode(found.fromObject(message)).finish();
  };
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const isTime = headers[':path'] === '/etcdserverpb.Lease/LeaseTimeToLive';
      const kvs = Buffer.concat(parts).includes('/config') ? [record('config', CONFIG, '0')] : leases();
      const message = isTime
        ? encode('LeaseTimeToLiveResponse', { header: HEADER, TTL: '86000' })
        : encode('RangeResponse', { header: HEADER, kvs });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat([head, message]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

function leases(): readonly object[] {
  return Array.from({ length: 100 }, (_, at) => record(`subnets/10.0.${at}.0-24`, LEASE, String(at + 1)));
}

function record(name: string, value: string, lease: string): object {
  const key = Buffer.from(`/coreos.com/network/${name}`);
  return { key, value: Buffer.from(value), lease, mod_revision: '5', create_revision: '5', version: '1' };
}
