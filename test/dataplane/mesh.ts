import { join } from 'node:path';
import { observeOverlay } from '../../src/dataplane/observe.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';
import { type Programmed, programOnce } from '../../src/dataplane/program.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { fileStore } from '../../src/store/file.ts';
import type { SubnetStore } from '../../src/store/store.ts';
import { parseStoredConfig } from '../../src/store/stored-config.ts';
import { makeNamespace, type Namespace } from './namespace.ts';

/** Nodes on one switch, each in a namespace of its own, that share a datastore in a file. */
export interface Mesh {
  readonly nodes: readonly Namespace[];
  readonly store: SubnetStore;
  /** Programs every node twice: the first has nobody to program until the last one has its lease. */
  bringUp(): Promise<readonly Programmed[]>;
  program(index: number): Promise<Programmed>;
  remove(): Promise<void>;
}

export async function makeMesh(count: number, config: object): Promise<Mesh> {
  const namespaces: Namespace[] = [];
  const remove = async () => {
    for (const namespace of namespaces.reverse()) await namespace.remove();
  };
  try {
    return { ...(await buildMesh(count, config, namespaces)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What is made is added to `namespaces`, so that it can be removed half-way, too. */
async function buildMesh(count: number, config: object, namespaces: Namespace[]): Promise<Omit<Mesh, 'remove'>> {
  const hub = await makeNamespace();
  namespaces.push(hub);
  await hub.run('ip link add br0 type bridge');
  await hub.run('ip link set br0 up');
  const nodes: Namespace[] = [];
  for (let index = 1; index <= count; index += 1) {
    const node = await makeNamespace();
    namespaces.push(node);
    nodes.push(node);
    await plugIn(hub, node, index);
  }
  const selection = { kind: 'file', path: join(hub.directory, 'leases.json') } as const;
  const store = fileStore({ selection, host: hub.host, writer: hub.writer, clock: systemClock });
  await store.writeNetworkConfig(JSON.stringify(config), null);
  const program = (index: number) => programNode(nodes, index, store);
  return {
    nodes,
    store,
    program,
    bringUp: async () => {
      for (const index of nodes.keys()) await program(index);
      const programmed: Programmed[] = [];
      for (const index of nodes.keys()) programmed.push(await program(index));
      return programmed;
    },
  };
}

/** What is left to do on a node for what was desired there. */
export async function driftOf(node: Namespace, { desired }: Programmed) {
  const { operations } = planOverlay(desired, await observeOverlay(node.host), { removals: true });
  return operations.filter(({ verb }) => verb !== 'keep');
}

export function optionsOf(node: Namespace) {
  return { ...FLANNEL_DEFAULTS, iface: ['eth0'], subnetFile: join(node.directory, 'subnet.env') };
}

async function plugIn(hub: Namespace, node: Namespace, index: number): Promise<void> {
  await hub.run(`ip link add p${index} type veth peer name eth0 netns ${node.name}`);
  await hub.run(`ip link set p${index} master br0 up`);
  await node.run(`ip addr add 192.168.9.${index}/24 dev eth0`);
  await node.run(`ip addr add fd00:9::${index}/64 dev eth0 nodad`);
  await node.run('ip link set eth0 up');
}

async function programNode(nodes: readonly Namespace[], index: number, store: SubnetStore): Promise<Programmed> {
  const node = nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  const { host, writer } = node;
  return programOnce({ options: optionsOf(node), host, writer, store, readConfig: parseStoredConfig });
}
