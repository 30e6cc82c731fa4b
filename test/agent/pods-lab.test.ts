import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, eventually, type Lab, type LabNode, makeLab, overlayOf, subnetOf } from './lab.ts';
import { addPod, type Pod, pairsOf, podsReach, startPing } from './traffic.ts';

/** Four nodes with a pod each; a fifth that joins later. */
let lab: Lab;
const agents: Agent[] = [];
const pods: Pod[] = [];
const servers: ChildProcess[] = [];

beforeAll(async () => {
  lab = await makeLab(5);
  for (const node of lab.nodes.slice(0, 4)) agents.push(await node.up({ flags: ['--ip-masq'] }));
  for (const node of lab.nodes.slice(0, 4)) pods.push(await addPod(node));
  await podsReach(pods, 30_000);
  for (const pod of pods) servers.push(await serve(pod));
}, 240_000);
afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL');
  for (const { namespace } of pods) await namespace.remove();
  await lab.remove();
});

const SERVER = `require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(7000, '0.0.0.0');
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (message, { port, address }) => udp.send(message, port, address));
udp.bind(7000, '0.0.0.0', () => process.stdout.write('ready'));`;

/** Sends back whatever comes, over TCP and UDP. */
async function serve({ namespace }: Pod): Promise<ChildProcess> {
  const argv = ['netns', 'exec', namespace.name, process.execPath, '-e', SERVER];
  const server = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(server.stdout, 'data');
  return server;
}

/** A megabyte over TCP and fifty datagrams of the full size over UDP, there and back; prints the SHA-256 of both, both times. */
const CLIENT = `const { createHash, randomBytes } = require('node:crypto');
const sha = (data) => createHash('sha256').update(data).digest('hex').slice(0, 8);
const host = process.argv[1];
const sent = randomBytes(1 << 20);
const parts = [];
const tcp = require('node:net').connect({ host, port: 7000, timeout: 15000 }, () => tcp.end(sent));
tcp.on('timeout', () => tcp.destroy()).on('data', (part) => parts.push(part)).on('error', () => {}).on('close', () => {
  const udp = require('node:dgram').createSocket('udp4');
  const all = Array.from({ length: 50 }, (_, number) => Buffer.concat([Buffer.of(number), randomBytes(1421)]));
  const back = new Map();
  const tell = () => { console.log(sha(sent), sha(Buffer.concat(parts)), sha(Buffer.concat(all)), sha(Buffer.concat(all.map((_, at) => back.get(at) ?? Buffer.of())))); process.exit(); };
  let next = 0;
  const send = () => udp.send(all[next], 7000, host);
  udp.on('message', (message) => { if (message[0] !== next) return; back.set(message[0], message); next += 1; next === 50 ? tell() : send(); });
  setTimeout(tell, 15000);
  send();
});`;

async function exchange(from: Pod, to: Pod): Promise<void> {
  const { stdout } = await from.namespace.host.exec([process.execPath, '-e', CLIENT, to.ip], { timeoutMs: 60_000 });
  const [tcpSent, tcpBack, udpSent, udpBack] = stdout.trim().split(' ');
  expect([tcpBack, udpBack]).toEqual([tcpSent, udpSent]);
}

function node(index: number): LabNode {
  const found = lab.nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

const everybody = (...but: readonly number[]) => lab.nodes.filter((_, index) => !but.includes(index));
const routesOf = async (one: LabNode) => (await one.lines('ip route show')).join('\n');

describe('pods of four nodes', () => {
  it('send packets of the full size without fragments, and none that is larger', { timeout: 60_000 }, async () => {
    for (const { from, to } of pairsOf(pods)) {
      await eventually(() => from.namespace.run(`ping -n -q -c1 -W2 -M do -s 1422 ${to.ip}`), 10_000);
      await expect(from.namespace.run(`ping -n -q -c1 -W1 -M do -s 1423 ${to.ip}`)).rejects.toThrow();
    }
  });

  it('give each other back every byte over TCP and UDP', { timeout: 120_000 }, async () => {
    for (const { from, to } of pairsOf(pods)) await exchange(from, to);
  });

  it('reach those of a node that joins, and lose no packet by it', { timeout: 120_000 }, async () => {
    const [from, to] = pods;
    if (from === undefined || to === undefined) throw new Error('there are no pods');
    const pinging = await startPing({ from, to });
    agents.push(await node(4).up({ flags: ['--ip-masq'] }));
    pods.push(await addPod(node(4)));
    await podsReach(pods, 10_000);
    expect((await pinging.stop()).lost).toBe(0);
  });

  it('of a node whose address changes are reached at the new one', { timeout: 120_000 }, async () => {
    const moved = node(1);
    await moved.namespace.run('ip addr add 192.168.9.42/24 dev eth0');
    await moved.namespace.run('ip addr del 192.168.9.2/24 dev eth0');
    // The second address of a net goes with the first (promote_secondaries is off).
    await moved.namespace.run('ip addr replace 192.168.9.42/24 dev eth0');
    await moved.namespace.run('ip route replace default via 192.168.9.254');
    for (const peer of everybody(1)) {
      await eventually(async () => {
        const entries = (await peer.lines('bridge fdb show dev flannel.1')).join('\n');
        expect([entries.includes('dst 192.168.9.42 '), entries.includes('dst 192.168.9.2 ')]).toEqual([true, false]);
      }, 20_000);
    }
    await podsReach(pods, 20_000);
  });

  it('of a node whose lease ends are let go by all others, who lose no packet', { timeout: 120_000 }, async () => {
    const leaving = await subnetOf(node(4));
    const key = `/coreos.com/network/subnets/${leaving.replace('/', '-')}`;
    agents[4]?.signal('SIGTERM');
    await agents[4]?.ended;
    const [from, to] = pods;
    if (from === undefined || to === undefined) throw new Error('there are no pods');
    const pinging = await startPing({ from, to });
    const [, lease = ''] = /"Lease" : (\d+)/.exec(await lab.etcdctl(`get -w fields ${key}`)) ?? [];
    await lab.etcdctl(`lease revoke ${BigInt(lease).toString(16)}`);
    for (const peer of everybody(4)) {
      await eventually(async () => {
        expect(await overlayOf(peer)).not.toContainEqual(expect.stringContaining(leaving.replace('/24', ' ')));
        expect(await routesOf(peer)).not.toContain(leaving);
        expect((await peer.lines('bridge fdb show dev flannel.1')).join('\n')).not.toContain('dst 192.168.9.5 ');
      }, 10_000);
    }
    expect((await pinging.stop()).lost).toBe(0);
    await podsReach(pods.slice(0, 4));
  });
});
