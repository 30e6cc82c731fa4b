import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { makeNamespace, type Namespace } from '../dataplane/namespace.ts';
import { eventually, type LabNode, subnetOf } from './lab.ts';

/** A pod of one node: a namespace behind the node's cni0, as the bridge plugin leaves it. */
export interface Pod {
  readonly namespace: Namespace;
  readonly ip: string;
}

export async function addPod(node: LabNode): Promise<Pod> {
  const subnet = await subnetOf(node);
  const [gateway, ip] = [subnet.replace('0/24', '1'), subnet.replace('0/24', '2')];
  const [mtu = ''] = await node.lines('cat /sys/class/net/flannel.1/mtu');
  const namespace = await makeNamespace();
  await node.namespace.run('sysctl -qw net.ipv4.ip_forward=1');
  await node.namespace.run('ip link add cni0 type bridge');
  await node.namespace.run(
    `ip link add vethpod0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespace.name}`,
  );
  await node.namespace.run(`ip link set cni0 mtu ${mtu} up`);
  await node.namespace.run(`ip addr add ${gateway}/24 dev cni0`);
  await node.namespace.run('ip link set vethpod0 master cni0 up');
  await namespace.run(`ip addr add ${ip}/24 dev eth0`);
  await namespace.run('ip link set eth0 up');
  await namespace.run(`ip route add default via ${gateway}`);
  return { namespace, ip };
}

export interface Pair {
  readonly from: Pod;
  readonly to: Pod;
}

/** Every pod with every other, both directions. */
export function pairsOf(pods: readonly Pod[]): readonly Pair[] {
  return pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })));
}

/** Waits until every pod answers every other. */
export async function podsReach(pods: readonly Pod[], timeoutMs = 20_000): Promise<void> {
  await Promise.all(
    pairsOf(pods).map(({ from, to }) => eventually(() => from.namespace.run(`ping -n -q -c1 -W1 ${to.ip}`), timeoutMs)),
  );
}

/** What became of the numbered packets of a {@link startPing}. */
export interface Losses {
  readonly sent: number;
  readonly lost: number;
  /** Longest time between two answers. */
  readonly silentMs: number;
}

/** Numbered echoes every 20 ms until it is stopped. */
export interface Pinging {
  stop(): Promise<Losses>;
}

const EVERY_S = 0.02;

export async function startPing({ from, to }: Pair): Promise<Pinging> {
  const argv = ['netns', 'exec', from.namespace.name, 'ping', '-n', '-D', '-i', String(EVERY_S), to.ip];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  await eventually(async () => {
    if (answersIn(text).length === 0) throw new Error(`${to.ip} does not answer ${from.ip}`);
  }, 20_000);
  return {
    stop: async () => {
      const seen = answersIn(text).length;
      await eventually(async () => {
        if (answersIn(text).length === seen) throw new Error(`${to.ip} has stopped answering ${from.ip}`);
      }, 20_000);
      await ended(child);
      return lossesOf(answersIn(text));
    },
  };
}

interface Answer {
  readonly number: number;
  readonly atMs: number;
}

function answersIn(text: string): readonly Answer[] {
  const found = text.matchAll(/^\[([\d.]+)\] \d+ bytes from .* icmp_seq=(\d+) /gm);
  return [...found].map(([, at, number]) => ({ number: Number(number), atMs: Number(at) * 1000 }));
}

/** Up to the last answer: what was on its way at the end is not lost. */
function lossesOf(answers: readonly Answer[]): Losses {
  const numbers = new Set(answers.map(({ number }) => number));
  const sent = Math.max(...numbers);
  const gaps = answers.slice(1).map(({ atMs }, at) => atMs - (answers[at]?.atMs ?? atMs));
  return { sent, lost: sent - numbers.size, silentMs: Math.round(Math.max(0, ...gaps)) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  await exit;
}
