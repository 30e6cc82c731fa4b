import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { Packet } from '../../src/firewall/packet.ts';
import { UDP } from '../../src/firewall/packet.ts';
import type { Argv, ExecResult, Host } from '../../src/host/host.ts';

export const NODE_IP = '10.9.0.1';
export const PEER_IP = '10.9.0.2';
export const PORT = 8472;

/** Two network namespaces on one wire, with a real vxlan device in each: the node, whose rules are judged, and its peer. */
export class OverlayPair {
  readonly node = `fctl-fw-${randomBytes(3).toString('hex')}n`;
  readonly peer = `${this.node.slice(0, -1)}p`;

  constructor() {
    for (const space of [this.node, this.peer]) run(['ip', 'netns', 'add', space]);
    run(['ip', '-n', this.node, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'eth0', 'netns', this.peer]);
    this.#bringUp(this.node, { ip: NODE_IP, mac: '0a:00:00:00:00:01', overlay: '10.244.1.0' });
    this.#bringUp(this.peer, { ip: PEER_IP, mac: '0a:00:00:00:00:02', overlay: '10.244.2.0' });
    this.#know(this.node, { overlay: '10.244.2.0', mac: '0a:00:00:00:00:02', ip: PEER_IP });
    this.#know(this.peer, { overlay: '10.244.1.0', mac: '0a:00:00:00:00:01', ip: NODE_IP });
    this.reset();
    this.inNode(['ping', '-c', '2', '-i', '0.1', '-W', '2', '10.244.2.0']);
  }

  #bringUp(space: string, own: { ip: string; mac: string; overlay: string }): void {
    const vxlan = ['type', 'vxlan', 'id', '1', 'dstport', String(PORT), 'local', own.ip, 'dev', 'eth0', 'nolearning'];
    run(['ip', '-n', space, 'link', 'set', 'lo', 'up']);
    run(['ip', '-n', space, 'addr', 'add', `${own.ip}/24`, 'dev', 'eth0']);
    run(['ip', '-n', space, 'link', 'set', 'eth0', 'up']);
    run(['ip', '-n', space, 'link', 'add', 'flannel.1', 'address', own.mac, ...vxlan]);
    run(['ip', '-n', space, 'addr', 'add', `${own.overlay}/32`, 'dev', 'flannel.1']);
    run(['ip', '-n', space, 'link', 'set', 'flannel.1', 'up']);
  }

  #know(space: string, other: { overlay: string; mac: string; ip: string }): void {
    run(['ip', '-n', space, 'route', 'add', `${other.overlay}/24`, 'via', other.overlay, 'dev', 'flannel.1', 'onlink']);
    run([
      'ip',
      '-n',
      space,
      'neigh',
      'add',
      other.overlay,
      'lladdr',
      other.mac,
      'dev',
      'flannel.1',
      'nud',
      'permanent',
    ]);
    run(['bridge', '-n', space, 'fdb', 'add', other.mac, 'dev', 'flannel.1', 'dst', other.ip]);
  }

  /** Removes every rule of the node. */
  reset(): void {
    this.inNode(['nft', 'flush', 'ruleset']);
    for (const table of ['filter', 'raw', 'mangle', 'nat']) this.#resetLegacy(table);
  }

  #resetLegacy(table: string): void {
    if (!this.inNode(['cat', '/proc/net/ip_tables_names']).split('\n').includes(table)) return;
    this.inNode(['iptables-legacy', '-t', table, '-F']);
    this.inNode(['iptables-legacy', '-t', table, '-X']);
    for (const chain of CHAINS[table] ?? []) this.inNode(['iptables-legacy', '-t', table, '-P', chain, 'ACCEPT']);
  }

  inNode(argv: Argv, input?: string): string {
    return run(['ip', 'netns', 'exec', this.node, ...argv], input);
  }

  /** Whether packets through the tunnel reach the other side's vxlan device: the answer of the kernel itself. */
  passes(direction: 'in' | 'out'): boolean {
    const [from, to, target] =
      direction === 'in' ? [this.peer, this.node, '10.244.1.0'] : [this.node, this.peer, '10.244.2.0'];
    const before = received(to);
    run([
      'ip',
      'netns',
      'exec',
      from,
      'bash',
      '-c',
      `for i in 1 2 3; do echo x >/dev/udp/${target}/9; done 2>/dev/null; true`,
    ]);
    return received(to) >= before + 3;
  }

  /** The node's rules are read through this: programs run in its namespace. */
  host(): Host {
    const refuse = () => Promise.reject(new UnavailableError('unsupported', 'not in this test'));
    return {
      identity: () =>
        Promise.resolve({
          hostname: this.node,
          kernel: 'test',
          os: 'linux',
          arch: 'x64',
          uid: process.getuid?.() ?? 0,
        }),
      exec: (argv) => Promise.resolve(this.#exec(argv)),
      readFile: (path) => Promise.resolve(this.#read(path)),
      readDir: refuse,
      readLink: refuse,
      stat: refuse,
      connect: refuse,
      udp: refuse,
      exchange: refuse,
    };
  }

  #exec(argv: Argv): ExecResult {
    return tryRun(['ip', 'netns', 'exec', this.node, ...argv]);
  }

  #read(path: string): string {
    const { exitCode, stdout } = this.#exec(['cat', path]);
    if (exitCode !== 0) throw new AbsentError(`${path} is not there`);
    return stdout;
  }

  close(): void {
    for (const space of [this.node, this.peer]) run(['ip', 'netns', 'del', space]);
  }
}

const CHAINS: Readonly<Record<string, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
};

function received(space: string): number {
  const [link] = JSON.parse(run(['ip', '-n', space, '-j', '-s', 'link', 'show', 'flannel.1']));
  return link.stats64.rx.packets;
}

function run(argv: Argv, input?: string): string {
  const result = tryRun(argv, input);
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr || result.stdout}`);
  return result.stdout;
}

function tryRun([program, ...args]: Argv, input = ''): ExecResult {
  try {
    const stdout = execFileSync(program, args, { input, encoding: 'utf8', stdio: 'pipe', timeout: 10_000 });
    return { exitCode: 0, stdout, stderr: '' };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): ExecResult {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') throw error;
  const text = (key: 'stdout' | 'stderr') => (key in error ? String(Reflect.get(error, key)) : '');
  return { exitCode: error.status, stdout: text('stdout'), stderr: text('stderr') };
}

export function incoming(): Packet {
  return { ...TUNNEL, saddr: PEER_IP, daddr: NODE_IP, iif: 'eth0', oif: '' };
}

export function outgoing(): Packet {
  return { ...TUNNEL, saddr: NODE_IP, daddr: PEER_IP, iif: '', oif: 'eth0' };
}

const TUNNEL = { family: 4, protocol: UDP, sport: null, dport: PORT, isBridged: false } as const;
