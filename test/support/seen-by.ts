import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Namespace } from '../dataplane/namespace.ts';

const SERVER = `require('node:net').createServer((socket) => { socket.on('error', () => {}); socket.end(socket.remoteAddress.replace('::ffff:', '')); })
  .listen(7000, '::', () => process.stdout.write('ready'))`;

/** Tells whoever connects as whom it sees him; to be killed at the end. */
export async function serve({ name }: Namespace): Promise<ChildProcess> {
  const server = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', SERVER], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(server.stdout, 'data');
  return server;
}

const CLIENT = `const [host, localAddress] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: 7000, timeout: 2000, ...(localAddress && { localAddress }) });
socket.on('timeout', () => socket.destroy(new Error('timeout'))).on('error', ({ message }) => process.stdout.write(message)).pipe(process.stdout);`;

/** The source address that `to` sees; `timeout` when nothing gets there. */
export async function seenBy(to: string, from: Namespace, localAddress?: string): Promise<string> {
  const args = [to, ...(localAddress === undefined ? [] : [localAddress])];
  return (await from.host.exec([process.execPath, '-e', CLIENT, ...args], { timeoutMs: 20_000 })).stdout;
}
