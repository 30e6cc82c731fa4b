import { randomBytes } from 'node:crypto';
import { ConflictError, FlannelctlError, UnavailableError } from '../errors.ts';
import { removeDrill } from './down.ts';
import type { DrillNode } from './fault.ts';
import { flanneldReady, flanneldUnit, launchFlanneld } from './flanneld.ts';
import { type Holder, startHolder } from './holder.ts';
import { HOLDER_SCRIPT } from './holder-script.ts';
import {
  holderScriptPath,
  NETWORK,
  NETWORK_CONFIG,
  nodeName,
  SUBNET_FILE,
  SWITCH_NAME,
  stateDirectory,
  wantedSubnet,
} from './layout.ts';
import { drillNode } from './node.ts';
import { addPod, podsReach } from './pods.ts';
import { type ClusterRecord, recordPath, type StoreKind, selectionOf } from './record.ts';
import { assertEtcd, cable, startEtcd } from './switch.ts';
import type { DrillTools } from './tools.ts';

export interface UpRequest {
  /** 2 to {@link MAX_NODES}. */
  readonly nodes: number;
  readonly store: StoreKind;
  /** The executable that the nodes run. */
  readonly program: string;
  /** A real flanneld; `null`: the stand-in. */
  readonly flanneld: string | null;
  /** Our own agent, `flannelctl up`, in place of either. Default: false. */
  readonly agent?: boolean;
}

/** Brings a cluster up and waits until its pods reach each other. Whatever stops it half-way, nothing is left. */
export async function bringUp(tools: DrillTools, request: UpRequest): Promise<ClusterRecord> {
  await assertPossible(tools, request);
  const tag = randomBytes(3).toString('hex');
  try {
    return await build(tools, request, tag);
  } catch (error) {
    await removeDrill(tools, tag);
    throw tools.signal.aborted ? interrupted(tools.signal) : error;
  }
}

function interrupted({ reason }: AbortSignal): FlannelctlError {
  const exitCode = reason === 'SIGTERM' ? 143 : 130;
  return new FlannelctlError({ code: 'interrupted', exitCode }, 'interrupted: what was made of the drill is removed');
}

/** @throws {UnavailableError} naming what is missing, before anything is made. */
async function assertPossible(tools: DrillTools, { store }: UpRequest): Promise<void> {
  const { uid } = await tools.host.identity();
  if (uid !== 0) {
    throw new UnavailableError('permission', 'a drill makes network namespaces, which only root may', {
      hint: 'Run it with sudo.',
    });
  }
  if (store === 'etcd') await assertEtcd(tools);
}

async function build(tools: DrillTools, request: UpRequest, tag: string): Promise<ClusterRecord> {
  const { store, program, flanneld, agent = false } = request;
  await prepareState(tools, request, tag);
  const holders = await startHolders(tools, request, tag);
  await cable(tools, holders);
  if (store === 'etcd') await startEtcd(tools, tag, holders.switchHolder);
  const nodes = holders.nodes.map((node) => ({ ...node, subnet: wantedSubnet(node.index).network, vtepMac: '' }));
  const base = { tag, createdAt: tools.clock.now(), store, program, flanneld, agent, switch: holders.switchHolder };
  const draft: ClusterRecord = { ...base, nodes };
  await startOverlay(tools, draft);
  const record: ClusterRecord = { ...base, nodes: await leased(tools, draft) };
  await addPods(tools, record);
  tools.signal.throwIfAborted();
  await tools.writer.writeFile(recordPath(tag), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  return record;
}

/** The file store's directory is there before the nodes mount it; etcd's configuration is stored when it runs. */
async function prepareState(tools: DrillTools, { store }: UpRequest, tag: string): Promise<void> {
  await tools.writer.writeFile(holderScriptPath(tag), HOLDER_SCRIPT);
  if (store === 'etcd') return;
  const opened = await tools.openStore(selectionOf({ tag, store }));
  try {
    await opened.writeNetworkConfig(NETWORK_CONFIG, null);
  } finally {
    await opened.close();
  }
}

interface Holders {
  readonly switchHolder: Holder;
  readonly nodes: readonly { readonly index: number; readonly holder: Holder }[];
}

/** All at once. One that fails ends the others only after they came up: then removing finds them. */
async function startHolders(tools: DrillTools, { nodes, program, flanneld }: UpRequest, tag: string): Promise<Holders> {
  const programs = [program, flanneld ?? program];
  const indexes = Array.from({ length: nodes }, (_, at) => at + 1);
  const started = await Promise.allSettled([
    startHolder(tools, { tag, name: SWITCH_NAME, kind: 'switch', index: 0, programs }),
    ...indexes.map((index) => startHolder(tools, { tag, name: nodeName(tag, index), kind: 'node', index, programs })),
  ]);
  const [switchHolder, ...rest] = started.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  if (switchHolder === undefined) throw new ConflictError('the switch was not started');
  return { switchHolder, nodes: rest.map((holder, at) => ({ index: at + 1, holder })) };
}

/** flanneld in every node: started together, because each programs its peers once, when all leases are there. */
async function startOverlay(tools: DrillTools, record: ClusterRecord): Promise<void> {
  await Promise.all(
    record.nodes.map(async (own) => {
      const node = drillNode(tools, record, own);
      await Promise.all([
        node.writeFile(SUBNET_FILE, seedOf(own.index)),
        node.writeFile('/etc/systemd/system/flanneld.service', flanneldUnit(record)),
        node.writeFile('/etc/cni/net.d/10-flannel.conflist', CONFLIST),
      ]);
      await launchFlanneld({ tools, record, holder: own.holder });
    }),
  );
  await Promise.all(record.nodes.map(({ holder }) => flanneldReady({ tools, record, holder })));
}

/** flannel takes the subnet of an earlier subnet.env again: so node N has 10.244.N.0/24. */
function seedOf(index: number): string {
  const { gateway } = wantedSubnet(index);
  return `FLANNEL_NETWORK=${NETWORK}\nFLANNEL_SUBNET=${gateway}/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n`;
}

const CONFLIST = `{
  "name": "cbr0",
  "cniVersion": "0.3.1",
  "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
`;

/** What each node got, as its own files and device say. */
async function leased(tools: DrillTools, record: ClusterRecord): Promise<ClusterRecord['nodes']> {
  return Promise.all(
    record.nodes.map(async (own) => {
      const node = drillNode(tools, record, own);
      const [environment, mac] = await Promise.all([
        node.readFile(SUBNET_FILE),
        node.readFile(`/sys/class/net/${node.device}/address`),
      ]);
      const gateway = /^FLANNEL_SUBNET=(\d+\.\d+\.\d+)\.1\/24$/m.exec(environment)?.[1];
      if (gateway === undefined) throw new UnavailableError('malformed', `flanneld left no subnet in ${node.name}`);
      return { ...own, subnet: `${gateway}.0/24`, vtepMac: mac.trim() };
    }),
  );
}

async function addPods(tools: DrillTools, record: ClusterRecord): Promise<void> {
  const nodes: readonly DrillNode[] = record.nodes.map((own) => drillNode(tools, record, own));
  await Promise.all(nodes.map(addPod));
  const silent = await podsReach(tools, nodes);
  if (silent.length === 0) return;
  const pairs = silent.map(({ from, to }) => `${from} and ${to}`).join(', ');
  throw new UnavailableError('unsupported', `the pods of nodes ${pairs} do not reach each other`, {
    hint: `The drill was removed again (${stateDirectory(record.tag)}).`,
  });
}
