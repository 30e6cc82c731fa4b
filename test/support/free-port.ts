import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** How many ports below the ephemeral ones are drawn from. */
const RANGE = 12_000;

/**
 * A port of the loopback that no TCP server has, that no other test is given as long as this process runs, and that
 * the kernel gives to nobody by itself: an ephemeral one may become the source port of any connection before a server
 * takes it, or while that is restarted.
 */
export async function freePort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const firstEphemeral = Number.parseInt(range, 10);
  for (;;) {
    const port = randomInt(Math.max(1024, firstEphemeral - RANGE), firstEphemeral);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
}

/** By a name in the abstract namespace of sockets, which the kernel gives to one process and frees with it. */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const holder = createServer().unref();
    holder.once('error', () => resolve(false));
    holder.listen({ path: `\0flannelctl-test-port-${port}` }, () => resolve(true));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
