import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * etcd3 reads its .proto files from its own folder when it is loaded. An executable has no folder: they are compiled now.
 * The build fails when etcd3's text is another one.
 */
export function etcdProto(): Plugin {
  const before = `(0, proto_loader_1.loadSync)(\`\${__dirname}/../proto/rpc.proto\`,`;
  const after = `(0, proto_loader_1.fromJSON)(require("etcd3-proto-json"),`;
  return {
    name: 'etcd3-proto',
    setup(build) {
      build.onLoad({ filter: /etcd3\/lib\/connection-pool\.js$/ }, ({ path }) => ({
        contents: replaceOnce(path, before, after),
        loader: 'js',
      }));
      build.onResolve({ filter: /^etcd3-proto-json$/ }, ({ path }) => ({ path, namespace: 'etcd3-proto' }));
      build.onLoad({ filter: /.*/, namespace: 'etcd3-proto' }, () => ({ contents: etcdDescriptor(), loader: 'json' }));
    },
  };
}

function replaceOnce(path: string, before: string, after: string): string {
  const parts = readFileSync(path, 'utf8').split(before);
  if (parts.length !== 2) throw new Error(`${path}: expected once, found ${parts.length - 1} times: ${before}`);
  return parts.join(after);
}

interface ProtoRoot {
  resolvePath: (origin: string, target: string) => string;
  loadSync(file: string, options: { keepCase: boolean }): ProtoRoot;
  resolveAll(): ProtoRoot;
  toJSON(): object;
}

/** etcd3's own protobufjs, reached through the packages that depend on it. */
function etcdDescriptor(): string {
  const etcd = createRequire(import.meta.url).resolve('etcd3');
  const loader = createRequire(etcd).resolve('@grpc/proto-loader');
  const protobuf: { Root: new () => ProtoRoot } = createRequire(loader)('protobufjs');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(dirname(etcd), '../proto', basename(target));
  return JSON.stringify(root.loadSync('rpc.proto', { keepCase: true }).resolveAll().toJSON());
}
