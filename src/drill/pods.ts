import type { Argv } from '../host/host.ts';
import { nthAddress, parseCidr } from '../net/cidr.ts';
import type { DrillNode } from './fault.ts';
import { type DrillTools, waitFor } from './tools.ts';

/** Network namespace of the one pod of a node; `ip netns exec pod …` inside the node. */
export const POD = 'pod';

/** cni0 and one pod behind it, as the bridge plugin leaves them, with the overlay's MTU. */
export async function addPod(node: DrillNode): Promise<void> {
  const gateway = addressIn(node.subnet, 1);
  await node.must(['sh', '-c', POD_SCRIPT, 'sh', gateway, podIp(node), await overlayMtu(node)]);
}

export function podIp(node: Pick<DrillNode, 'subnet'>): string {
  return addressIn(node.subnet, 2);
}

function addressIn(subnet: string, offset: number): string {
  const network = parseCidr(subnet);
  if (network === undefined) throw new TypeError(`${subnet} is no network`);
  return nthAddress(network, offset);
}

async function overlayMtu(node: DrillNode): Promise<string> {
  const text = await node.must(['cat', `/sys/class/net/${node.device}/mtu`]);
  return text.trim();
}

const POD_SCRIPT = `set -e
gateway=$1 address=$2 mtu=$3
ip netns add ${POD}
ip -batch - <<end
link add cni0 type bridge
link add vethpod0 mtu $mtu type veth peer name eth0 mtu $mtu netns ${POD}
link set cni0 mtu $mtu
addr add $gateway/24 dev cni0
link set vethpod0 master cni0 up
link set cni0 up
end
ip -n ${POD} -batch - <<end
link set lo up
addr add $address/24 dev eth0
link set eth0 up
route add default via $gateway
end
`;

export interface PodPair {
  readonly from: number;
  readonly to: number;
}

/** Pairs of nodes whose pods do not reach each other; an echo proves the way there and the way back. */
export async function silentPairs(nodes: readonly DrillNode[], timeoutS = 2): Promise<readonly PodPair[]> {
  const pairs = nodes.flatMap((from, at) => nodes.slice(at + 1).map((to) => ({ from, to })));
  const asked = await Promise.all(
    pairs.map(async ({ from, to }) => {
      const { exitCode } = await from.exec(pingFromPod(podIp(to), timeoutS), { timeoutMs: timeoutS * 1000 + 3000 });
      return exitCode === 0 ? [] : [{ from: from.index, to: to.index }];
    }),
  );
  return asked.flat();
}

function pingFromPod(address: string, timeoutS: number): Argv {
  return ['ip', 'netns', 'exec', POD, 'ping', '-n', '-q', '-c', '1', '-W', String(timeoutS), address];
}

/** Waits until every pod reaches every other; the pairs that do not when the time is over. */
export async function podsReach(tools: DrillTools, nodes: readonly DrillNode[]): Promise<readonly PodPair[]> {
  let silent: readonly PodPair[] = [];
  await waitFor(tools, { timeoutMs: 10_000, everyMs: 100 }, async () => {
    silent = await silentPairs(nodes, 1);
    return silent.length === 0 ? true : undefined;
  });
  return silent;
}
