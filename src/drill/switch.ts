import { UnavailableError } from '../errors.ts';
import { entering, enteringNetwork, must } from './enter.ts';
import type { Holder } from './holder.ts';
import { ETCD_ENDPOINT, ETCD_PREFIX, NETWORK_CONFIG, portOf, publicIpOf, SWITCH_IP, stateDirectory } from './layout.ts';
import { type DrillTools, waitFor } from './tools.ts';

export interface Cabling {
  readonly switchHolder: Holder;
  readonly nodes: readonly { readonly index: number; readonly holder: Holder }[];
}

/** One bridge, one port a node, addresses on the underlay. A port's other end is the node's eth0. */
export async function cable({ host }: DrillTools, { switchHolder, nodes }: Cabling): Promise<void> {
  // In the switch's network, but in the machine's pid namespace: the kernel looks up `netns PID` as the caller sees it.
  await must(host, enteringNetwork(switchHolder, ['ip', '-batch', '-']), { input: switchBatch(nodes) });
  const addressing = nodes.map(({ index, holder }) =>
    must(host, entering(holder, ['ip', '-batch', '-']), { input: nodeBatch(index) }),
  );
  await Promise.all(addressing);
}

function switchBatch(nodes: Cabling['nodes']): string {
  const ports = nodes.flatMap(({ index, holder }) => [
    `link add ${portOf(index)} mtu 1500 type veth peer name eth0 mtu 1500 netns ${holder.pid}`,
    `link set ${portOf(index)} master br0 up`,
  ]);
  const bridge = ['link set lo up', 'link add br0 type bridge', `addr add ${SWITCH_IP}/24 dev br0`, 'link set br0 up'];
  return [...bridge, ...ports, ''].join('\n');
}

function nodeBatch(index: number): string {
  const address = `addr add ${publicIpOf(index)}/24 dev eth0`;
  return ['link set lo up', address, 'link set eth0 up', `route add default via ${SWITCH_IP}`, ''].join('\n');
}

/** @throws {UnavailableError} `missing-tool` when etcd or etcdctl is not installed. */
export async function assertEtcd({ host }: DrillTools): Promise<void> {
  await must(host, ['etcd', '--version']);
  await must(host, ['etcdctl', 'version']);
}

/** Small, so that a fault can fill it; the leases of the largest drill take a hundredth of it. */
const ETCD_QUOTA_BYTES = 16 << 20;

/** Starts etcd beside the bridge and stores the network configuration. It ends with the switch's namespaces. */
export async function startEtcd(tools: DrillTools, tag: string, switchHolder: Holder): Promise<void> {
  // In the switch's own tmpfs: nothing has to reach a disk.
  const data = `${stateDirectory(tag)}/switch`;
  const urls = ['--listen-client-urls', ETCD_ENDPOINT, '--advertise-client-urls', ETCD_ENDPOINT];
  const etcd = ['etcd', '--data-dir', `${data}/etcd`, ...urls, '--listen-peer-urls', 'http://127.0.0.1:2380'];
  // By the environment: a version that has no v2 API any more ignores that, and would refuse the flag.
  const settings = ['env', 'ETCD_ENABLE_V2=true', `ETCD_QUOTA_BACKEND_BYTES=${ETCD_QUOTA_BYTES}`];
  const start = 'log=$1; shift; exec setsid "$@" >"$log" 2>&1 </dev/null &';
  await must(tools.host, entering(switchHolder, ['sh', '-c', start, 'sh', `${data}/etcd.log`, ...settings, ...etcd]));
  const put = ['env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints', ETCD_ENDPOINT, '--command-timeout=1s'];
  const stored = await waitFor(tools, { timeoutMs: 15_000, everyMs: 50 }, async () => {
    const argv = entering(switchHolder, [...put, 'put', `${ETCD_PREFIX}/config`, NETWORK_CONFIG]);
    return (await tools.host.exec(argv)).exitCode === 0 ? true : undefined;
  });
  if (stored === undefined) throw await etcdFailed(tools, switchHolder, `${data}/etcd.log`);
}

async function etcdFailed({ host }: DrillTools, holder: Holder, log: string): Promise<UnavailableError> {
  const { stdout } = await host.exec(entering(holder, ['tail', '-n', '3', log]));
  return new UnavailableError(
    'unsupported',
    `etcd did not come up beside the switch: ${JSON.stringify(stdout.trim())}`,
  );
}
