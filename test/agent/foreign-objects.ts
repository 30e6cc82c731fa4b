import type { LabNode } from './lab.ts';

/** Runs a script there; fails the test when a command of it fails. */
export async function sh(node: Pick<LabNode, 'namespace'>, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await node.namespace.host.exec(['sh', '-ec', script], { timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/**
 * What others have on a node, and what looks most like ours: another overlay's vxlan device with a name and entries as flannel's, routes
 * into our network and to a peer's subnet, rules before and behind our jumps.
 */
export async function plantForeign(node: LabNode, peerSubnet: string): Promise<void> {
  await sh(
    node,
    `ip link add theirs0 type veth peer name theirs1
ip link set theirs1 up
ip addr add 198.51.100.1/24 dev theirs0
ip link set theirs0 up
ip link add flannel.77 type vxlan id 77 dev theirs0 local 198.51.100.1 dstport 8473 nolearning
ip addr add 10.244.242.0/32 dev flannel.77
ip link set flannel.77 up
ip neigh add 10.244.241.0 lladdr 02:00:00:00:77:01 nud permanent dev flannel.77
bridge fdb add 02:00:00:00:77:01 dev flannel.77 dst 198.51.100.9 self permanent
ip route add 10.244.241.0/24 via 10.244.241.0 dev flannel.77 onlink
ip neigh add 198.51.100.200 lladdr 02:00:00:00:77:02 nud permanent dev theirs0
ip route add 172.20.0.0/16 via 198.51.100.2
ip route add ${peerSubnet} via 198.51.100.2 metric 300
ip route add 10.244.240.0/24 via 198.51.100.2 proto static
ip route add default via 198.51.100.2 table 77
ip rule add from 198.51.100.0/24 table 77
nft add table inet theirs
nft add chain inet theirs forward '{ type filter hook forward priority -5; policy accept; }'
nft add rule inet theirs forward ip saddr 203.0.113.0/24 drop
iptables -N THEIRS
iptables -A THEIRS -d 203.0.113.0/24 -j DROP
iptables -I FORWARD -j THEIRS
iptables -t nat -A POSTROUTING -s 203.0.113.0/24 -j RETURN
ip6tables -A FORWARD -s 2001:db8::/32 -j DROP`,
  );
}

/** All of it and whatever else is not flannel's on `flannel.1`, without counters and without what the kernel changes by itself. */
export async function foreignOf(node: LabNode): Promise<readonly string[]> {
  const listing = await sh(
    node,
    `for device in theirs0 flannel.77; do ip -d -o link show $device; ip -o -4 addr show dev $device; done
ip -o link show cni0; ip -o -4 addr show dev cni0
ip -4 route show table all
ip rule
ip neigh show nud permanent
bridge fdb show dev flannel.77
nft list table inet theirs 2>/dev/null || true
iptables-save; ip6tables-save`,
  );
  return listing
    .split('\n')
    .map((line) =>
      line
        .replace(/\[\d+:\d+\]/, '')
        .replace(/counter packets \d+ bytes \d+ /, '')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#') && !/ flannel\.1( |$)|FLANNEL-/.test(line));
}
