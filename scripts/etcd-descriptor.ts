import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import { ROOT, write } from './registry.ts';

const HEADER =
  "// Written by scripts/etcd-descriptor.ts from etcd's .proto files, as etcd3 brings them: JSON for protobufjs.\n";

/** Writes the schema of etcd's API into src/generated: an executable has no folder to read .proto files from. */
export function generateEtcdDescriptor(): void {
  const folder = join(dirname(createRequire(import.meta.url).resolve('etcd3')), '../proto');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(folder, basename(target));
  const descriptor = JSON.stringify(root.loadSync('rpc.proto', { keepCase: true }).resolveAll().toJSON());
  write(ROOT, 'etcd-descriptor.ts', `${HEADER}export const etcdDescriptor = ${JSON.stringify(descriptor)};\n`);
}
