/** Runs in the namespace of a pod: `serve` sends back what it gets by TCP and UDP, `ask ADDRESS…` sees that it does. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const PORT = 7007;
const [deed, ...addresses] = process.argv.slice(2);
if (deed === 'serve') await serve();
else await Promise.all(addresses.map(ask));

async function serve(): Promise<void> {
  const udp = createSocket('udp4');
  udp.on('message', (bytes, { port, address }) => udp.send(bytes, port, address));
  udp.bind(PORT);
  const tcp = createServer((socket) => socket.pipe(socket));
  tcp.listen(PORT, '0.0.0.0');
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  process.stdout.write('ready\n');
}

async function ask(address: string): Promise<void> {
  await Promise.all([askByTcp(address), askByUdp(address)]);
  process.stdout.write(`${address} answered\n`);
}

async function askByTcp(address: string): Promise<void> {
  const sent = Buffer.alloc(65_536, address);
  const socket = connect({ host: address, port: PORT, timeout: 5000 }, () => void socket.end(sent));
  socket.on('timeout', () => socket.destroy(new Error(`${address} is silent by TCP`)));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  if (!Buffer.concat(chunks).equals(sent)) throw new Error(`${address} sent something else back by TCP`);
}

/** A datagram may be lost; three are not. */
async function askByUdp(address: string): Promise<void> {
  const sent = Buffer.alloc(1400, address);
  const socket = createSocket('udp4');
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
  for (let times = 0; times < 3; times += 1) socket.send(sent, PORT, address);
  const [got] = await answer;
  socket.close();
  if (!sent.equals(got)) throw new Error(`${address} sent something else back by UDP`);
}
