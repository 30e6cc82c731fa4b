import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeNamespace, type Namespace } from '../dataplane/namespace.ts';
import { AGENT_TOKEN, API_ADDRESS, type LabApi, startLabApi } from './kube-api.ts';
import { type Agent, killed, type LabNode, labNode, plugIn, type UpOptions } from './lab.ts';
import { startRealApi } from './real-kube-api.ts';

const CONFIG = { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };
const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));
const PAYLOAD = fileURLToPath(new URL('pod-payload.ts', import.meta.url));
const HEALTH_PORT = 8081;

/** Path of a kube-apiserver; `''`: the small one, which alone can be made to misbehave. */
const KUBE_APISERVER = process.env['KUBE_APISERVER'] ?? '';
export const IS_REAL = KUBE_APISERVER !== '';

/** Nodes on one switch with a Kubernetes API behind it: a small one, or the kube-apiserver that `KUBE_APISERVER` names. */
export interface KubeLab {
  readonly api: LabApi;
  readonly nodes: readonly KubeNode[];
  node(index: number): KubeNode;
  remove(): Promise<void>;
}

export interface KubeNode extends LabNode {
  /** Name of the Node: `n1`. */
  readonly name: string;
  /** Of its one pod: `10.244.1.2`, while the Node has the podCIDR that it began with. */
  readonly podIp: string;
  /** As `up` of {@link LabNode}, with NODE_NAME, or another environment, and a health server. */
  start(options?: StartOptions): Promise<Agent>;
  /** Makes the pod behind cni0, with something that answers. */
  addPod(): Promise<void>;
  /** From the pod: standard output; fails when the command does. */
  inPod(line: string): Promise<string>;
  /** Sends to pods by TCP and UDP and gets the same back. */
  payload(addresses: readonly string[]): Promise<string>;
  /** Status and body of the agent's health server. */
  health(path: '/healthz' | '/readyz'): Promise<readonly [number, string]>;
}

export interface StartOptions extends Omit<UpOptions, 'wrap'> {
  readonly environment?: Readonly<Record<string, string>>;
}

export async function makeKubeLab(count: number): Promise<KubeLab> {
  const hub = await makeNamespace();
  const children: ChildProcess[] = [];
  const namespaces = [hub];
  await hub.run('ip link add br0 type bridge');
  await hub.run(`ip addr add ${API_ADDRESS}/24 dev br0`);
  await hub.run('ip link set br0 up');
  const real = IS_REAL ? await startRealApi(KUBE_APISERVER, { hub, children }) : '';
  const api = await startLabApi(hub, children, real);
  const files = await filesOf(hub, api.url);
  const nodes: KubeNode[] = [];
  for (let index = 1; index <= count; index += 1) {
    const namespace = await plugIn(hub, index);
    namespaces.push(namespace);
    await api.createNode(`n${index}`, { podCidrs: [`10.244.${index}.0/24`] });
    nodes.push(kubeNode({ namespace, index, files, children, namespaces }));
  }
  return {
    api,
    nodes,
    node: (index) => {
      const found = nodes[index - 1];
      if (found === undefined) throw new Error(`there is no node ${index}`);
      return found;
    },
    remove: async () => {
      await Promise.all(children.map(killed));
      for (const namespace of namespaces.reverse()) await namespace.remove();
    },
  };
}

/** A kubeconfig of the agents' own user, and net-conf.json. */
async function filesOf({ directory }: Namespace, server: string) {
  const kubeconfig = join(directory, 'kubeconfig');
  const name = 'lab';
  const document = {
    clusters: [{ name, cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: { token: AGENT_TOKEN } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  await writeFile(kubeconfig, JSON.stringify(document));
  const netConf = join(directory, 'net-conf.json');
  await writeFile(netConf, JSON.stringify(CONFIG));
  return ['--kube-subnet-mgr', '--kubeconfig-file', kubeconfig, '--net-config-path', netConf];
}

interface NodeParts {
  readonly namespace: Namespace;
  readonly index: number;
  readonly files: readonly string[];
  readonly children: ChildProcess[];
  readonly namespaces: Namespace[];
}

function kubeNode({ namespace, index, files, children, namespaces }: NodeParts): KubeNode {
  const base = labNode(namespace, children, files);
  const name = `n${index}`;
  const podIp = `10.244.${index}.2`;
  let pod: Namespace | undefined;
  const inPod = async (line: string) => {
    if (pod === undefined) throw new Error(`${name} has no pod`);
    return pod.run(line);
  };
  return {
    ...base,
    name,
    podIp,
    start: ({ flags = [], environment = { NODE_NAME: name }, ...rest } = {}) =>
      base.up({
        ...rest,
        wrap: ['env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
        flags: ['--healthz-port', String(HEALTH_PORT), ...flags],
      }),
    cli: (...args) => {
      const own = args[0] === 'leases' ? [] : ['--subnet-file', base.subnetFile, '--state-file', base.stateFile];
      const argv = ['env', `NODE_NAME=${name}`, process.execPath, CLI, ...args, ...files, ...own] as const;
      return namespace.host.exec(argv, { timeoutMs: 60_000 });
    },
    addPod: async () => {
      pod = await makePod(namespace, podIp);
      namespaces.push(pod);
      children.push(await serveIn(pod));
    },
    inPod,
    payload: (addresses) => inPod(`${process.execPath} ${PAYLOAD} ask ${addresses.join(' ')}`),
    health: async (path) => {
      const url = `http://127.0.0.1:${HEALTH_PORT}${path}`;
      const lines = await namespace.run(`curl --silent --max-time 10 --write-out \n%{http_code} ${url}`);
      const at = lines.lastIndexOf('\n');
      return [Number(lines.slice(at + 1)), lines.slice(0, at).trim()];
    },
  };
}

/** As the bridge plugin leaves it, with the MTU of the overlay. */
async function makePod(node: Namespace, address: string): Promise<Namespace> {
  const pod = await makeNamespace();
  const gateway = address.replace(/\d+$/, '1');
  await node.run('sysctl -qw net.ipv4.ip_forward=1');
  await node.run('ip link add cni0 type bridge');
  await node.run(`ip link add vethpod0 mtu 1450 type veth peer name eth0 mtu 1450 netns ${pod.name}`);
  await node.run('ip link set cni0 mtu 1450');
  await node.run(`ip addr add ${gateway}/24 dev cni0`);
  await node.run('ip link set vethpod0 master cni0 up');
  await node.run('ip link set cni0 up');
  await pod.run(`ip addr add ${address}/24 dev eth0`);
  await pod.run('ip link set eth0 up');
  await pod.run(`ip route add default via ${gateway}`);
  return pod;
}

async function serveIn({ name }: Namespace): Promise<ChildProcess> {
  const argv = ['netns', 'exec', name, process.execPath, PAYLOAD, 'serve'];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
