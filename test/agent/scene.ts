import { type FaultLab, leaseValue, PREFIX } from './fault-lab.ts';
import { type LabNode, overlayOf } from './lab.ts';

/** Everything of a fault that must be as it was: what others own in kernel and datastore, whose each lease is, and the overlay itself. */
export interface Scene {
  readonly foreign: readonly (readonly string[])[];
  readonly overlays: readonly (readonly string[])[];
  readonly owners: readonly string[];
}

/** Objects of strangers in each node's kernel and in the datastore, of the kinds that the agent handles. */
export async function plantForeign(lab: FaultLab): Promise<void> {
  for (const { namespace } of lab.nodes) {
    await namespace.run('ip route add 10.99.0.0/24 via 192.168.9.254');
    await namespace.run('ip route add 10.244.254.0/24 via 192.168.9.254');
    await namespace.run('ip link add vx99 type vxlan id 99 dstport 4799 dev eth0');
    await namespace.run('ip link set vx99 up');
    await namespace.run('bridge fdb add 02:00:00:00:99:99 dev vx99 dst 192.168.9.99');
    await namespace.run('ip neigh add 10.98.0.1 lladdr 02:00:00:00:99:99 dev vx99 nud permanent');
  }
  await lab.putRaw('/other/network/subnets/10.244.1.0-24', 'theirs');
  await lab.putRaw(`${PREFIX}/subnets/10.244.253.0-24`, leaseValue('192.168.9.99', '02:00:00:00:00:99'));
}

export async function sceneOf(lab: FaultLab): Promise<Scene> {
  const foreign = await Promise.all(lab.nodes.map(foreignIn));
  const overlays = await Promise.all(lab.nodes.map(overlayOf));
  const keys = ['/other/', `${PREFIX}/subnets/10.244.253.0-24`];
  const stored = await Promise.all(keys.map((key) => lab.ctl(`get --prefix ${key} -w fields`)));
  const revisions = stored.map((text) =>
    text.split('\n').filter((line) => /^"(Key|Value|ModRevision|Lease)"/.test(line)),
  );
  return { foreign: [...foreign, ...revisions], overlays, owners: await ownersOf(lab) };
}

async function foreignIn({ namespace }: LabNode): Promise<readonly string[]> {
  const { stdout } = await namespace.host.exec(['sh', '-c', FOREIGN]);
  return stdout.split('\n').sort();
}

const FOREIGN = [
  'ip route show 10.99.0.0/24',
  'ip route show 10.244.254.0/24',
  'ip -o link show vx99',
  'bridge fdb show dev vx99',
  'ip neigh show dev vx99 nud permanent',
].join(';');

/** `KEY IP MAC` of every lease. */
export async function ownersOf(lab: FaultLab): Promise<readonly string[]> {
  const lines = (await lab.ctl(`get --prefix ${PREFIX}/subnets/`)).split('\n');
  return lines.flatMap((line, index) => {
    const value = /^\{.*"PublicIP":"([\d.]+)".*"VtepMAC":"([\w:]+)"/.exec(line);
    return value === null ? [] : [`${lines[index - 1]} ${value[1]} ${value[2]}`];
  });
}
