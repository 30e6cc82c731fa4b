import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { median } from './measure.ts';

const SECONDS = 4;
const RUNS = 3;
const PORT = '5201';

const drillSchema = v.object({ tag: v.string() });
const iperfSchema = v.object({ end: v.object({ sum_received: v.object({ bits_per_second: v.number() }) }) });

/** TCP from pod to pod of two agents' overlay, and between the same two nodes without it, in turns. */
export async function measureThroughput(flannelctl: string): Promise<void> {
  const drill = (...args: readonly string[]) =>
    execFileSync(flannelctl, ['drill', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const { tag } = v.parse(
    drillSchema,
    JSON.parse(drill('up', '--nodes', '2', '--store', 'etcd', '--agent', '-o', 'json')),
  );
  try {
    const inNode = (node: number, ...argv: readonly string[]) => [
      'drill',
      'exec',
      '--tag',
      tag,
      String(node),
      '--',
      ...argv,
    ];
    const pod = ['ip', 'netns', 'exec', 'pod'];
    const servers = [inNode(2, 'iperf3', '-s', '-p', PORT), inNode(2, ...pod, 'iperf3', '-s', '-p', PORT)];
    const running = servers.map((args) => spawn(flannelctl, args, { stdio: 'ignore' }));
    await sleep(1500);
    const client = (address: string) => ['iperf3', '-c', address, '-p', PORT, '-t', String(SECONDS), '-J'];
    const ways = {
      underlay: inNode(1, ...client('192.168.10.12')),
      overlay: inNode(1, ...pod, ...client('10.244.2.2')),
    };
    const rates = { underlay: [] as number[], overlay: [] as number[] };
    for (let run = 0; run < RUNS; run += 1) {
      for (const way of ['underlay', 'overlay'] as const) rates[way].push(rateOf(flannelctl, ways[way]));
    }
    for (const server of running) server.kill('SIGTERM');
    const rtt = (args: readonly string[]) => roundTripMs(flannelctl, args);
    const latency = {
      underlay: rtt(inNode(1, ...ping('192.168.10.12'))),
      overlay: rtt(inNode(1, ...pod, ...ping('10.244.2.2'))),
    };
    const [bare, through] = [median(rates.underlay), median(rates.overlay)];
    console.log(`\nTCP node to node ${gbit(bare)}, pod to pod ${gbit(through)}: ${(through / bare).toFixed(2)}x`);
    const { underlay, overlay } = latency;
    console.log(
      `round trip node to node ${underlay} ms, pod to pod ${overlay} ms: ${(overlay / underlay).toFixed(2)}x`,
    );
  } finally {
    drill('down', '--tag', tag);
  }
}

function ping(address: string): readonly string[] {
  return ['ping', '-q', '-c', '200', '-i', '0.005', address];
}

function rateOf(flannelctl: string, args: readonly string[]): number {
  const output = execFileSync(flannelctl, args, { encoding: 'utf8' });
  return v.parse(iperfSchema, JSON.parse(output)).end.sum_received.bits_per_second;
}

/** Average. */
function roundTripMs(flannelctl: string, args: readonly string[]): number {
  const output = execFileSync(flannelctl, args, { encoding: 'utf8' });
  return Number(/= [\d.]+\/([\d.]+)\//.exec(output)?.[1]);
}

function gbit(bitsPerSecond: number): string {
  return `${(bitsPerSecond / 1e9).toFixed(2)} Gbit/s`;
}
