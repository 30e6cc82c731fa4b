import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { OverlayPeer } from '../../src/dataplane/entry.ts';
import type { Host } from '../../src/host/host.ts';
import { liveHost } from '../../src/host/live.ts';

/** Two nodes of a vxlan overlay in network namespaces of their own, joined by a veth pair. */
export interface OverlayPair {
  /** The host that measures; `10.244.1.0` at `192.168.77.1`. */
  readonly host: Host;
  /** As the first sees the second: `10.244.2.0` at `192.168.77.2`. */
  readonly peer: OverlayPeer;
  /** Runs a program in the first or the second namespace. @throws when it fails. */
  run(node: 1 | 2, command: string): string;
  down(): void;
}

const CALL = fileURLToPath(new URL('netns-call.ts', import.meta.url));
const TIMEOUT_MS = 15_000;

export function overlayPair(): OverlayPair {
  const tag = randomBytes(3).toString('hex');
  const names = { 1: `fctl-${tag}-1`, 2: `fctl-${tag}-2` } as const;
  const run = (node: 1 | 2, command: string) => execute(['ip', 'netns', 'exec', names[node], ...command.split(' ')]);
  for (const name of Object.values(names)) execute(['ip', 'netns', 'add', name]);
  execute(`ip -n ${names[1]} link add e0 type veth peer name e0 netns ${names[2]}`.split(' '));
  for (const node of [1, 2] as const) setUp(node, (command) => run(node, command));
  return {
    host: namespaceHost(names[1]),
    peer: {
      subnet: '10.244.2.0/24',
      ipv6Subnet: null,
      publicIp: '192.168.77.2',
      vtepMac: macOf(2),
      vni: 1,
      overlayIp: '10.244.2.0',
      isDirect: false,
    },
    run,
    down: () => {
      for (const name of Object.values(names)) execute(['ip', 'netns', 'del', name]);
    },
  };
}

function setUp(node: 1 | 2, run: (command: string) => string): void {
  const other = node === 1 ? 2 : 1;
  run('ip link set lo up');
  run('ip link set e0 up');
  run(`ip addr add 192.168.77.${node}/24 dev e0`);
  run('sysctl -qw net.ipv4.conf.all.rp_filter=0');
  run('sysctl -qw net.ipv4.conf.e0.rp_filter=0');
  run(
    `ip link add flannel.1 address ${macOf(node)} type vxlan id 1 dev e0 local 192.168.77.${node} dstport 8472 nolearning`,
  );
  run('sysctl -qw net.ipv4.conf.flannel/1.rp_filter=0');
  run(`ip addr add 10.244.${node}.0/32 dev flannel.1`);
  run('ip link set flannel.1 up');
  run(`ip neigh replace 10.244.${other}.0 lladdr ${macOf(other)} dev flannel.1 nud permanent`);
  run(`bridge fdb replace ${macOf(other)} dev flannel.1 dst 192.168.77.${other} self permanent`);
  run(`ip route add 10.244.${other}.0/24 via 10.244.${other}.0 dev flannel.1 onlink`);
}

export function macOf(node: 1 | 2): string {
  return `02:00:00:00:00:0${node}`;
}

/** The live host with its programs and sockets in a namespace; files are the machine's. */
function namespaceHost(name: string): Host {
  const live = liveHost({ root: '/' });
  const inside = ['netns', 'exec', name] as const;
  const call = async (method: 'connect' | 'udp', target: unknown) => {
    const args = [...inside, process.execPath, CALL, method, JSON.stringify(target)];
    return JSON.parse((await promisify(execFile)('ip', args, { timeout: TIMEOUT_MS })).stdout);
  };
  return {
    ...live,
    exec: ([program, ...args], options) => live.exec(['ip', ...inside, program, ...args], options),
    connect: (target) => call('connect', target),
    udp: (target) => call('udp', target),
  };
}

function execute([program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
}
