import { makeNamespace, type Namespace } from '../dataplane/namespace.ts';
import { type Family, subnetEnvOf } from './families.ts';
import type { LabNode } from './lab.ts';

/** A pod as flannel's CNI plugin has the bridge plugin make it. */
export interface Pod {
  readonly namespace: Namespace;
  address(family: Family): string;
}

/** One pod of a node whose subnet.env is there; its namespace is removed before the node's. */
export async function makePod({ namespace: node, ...rest }: LabNode): Promise<Pod> {
  const env = await subnetEnvOf({ namespace: node, ...rest });
  const mtu = env['FLANNEL_MTU'] ?? '';
  const gateways = [env['FLANNEL_SUBNET'], env['FLANNEL_IPV6_SUBNET']].filter((one) => one !== undefined);
  const pod = await makeNamespace();
  await node.run('ip link add cni0 type bridge');
  await node.run('ip link set cni0 up');
  await node.run(`ip link add vp0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${pod.name}`);
  await node.run('ip link set vp0 master cni0 up');
  await pod.run('ip link set eth0 up');
  const addresses: Partial<Record<Family, string>> = {};
  for (const gateway of gateways) {
    const family: Family = gateway.includes(':') ? 6 : 4;
    const nodad = family === 6 ? ' nodad' : '';
    const address = gateway.replace(/1\//, '2/');
    addresses[family] = address.replace(/\/\d+$/, '');
    await node.run(`ip addr add ${gateway} dev cni0${nodad}`);
    await pod.run(`ip addr add ${address} dev eth0${nodad}`);
    await pod.run(`ip -${family} route add default via ${gateway.replace(/\/\d+$/, '')}`);
    await node.run(`sysctl -qw net.ipv${family}.${family === 4 ? 'ip_forward' : 'conf.all.forwarding'}=1`);
  }
  return {
    namespace: pod,
    address: (family) => addresses[family] ?? '',
  };
}
