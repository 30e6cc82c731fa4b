import { InputError } from '../errors.ts';

/** Where drills keep their state on the machine; one directory a drill, named by its tag. */
export const DRILL_ROOT = '/run/flannelctl/drill';

/** The overlay's network, and what is stored as its configuration. */
export const NETWORK = '10.244.0.0/16';
export const NETWORK_CONFIG = JSON.stringify({ Network: NETWORK, Backend: { Type: 'vxlan' } });

/** The underlay: the switch is its router's address and where etcd listens, node N is `.10 + N`. */
export const SWITCH_IP = '192.168.10.1';
export const SWITCH_NAME = 'switch';
export const ETCD_ENDPOINT = `http://${SWITCH_IP}:2379`;
export const ETCD_PREFIX = '/coreos.com/network';

/** As many as the underlay has addresses for. */
export const MAX_NODES = 200;

/** Programs and unit files of a node, inside its own mount namespace. */
export const NODE_BIN = '/opt/bin';
export const FLANNELD = `${NODE_BIN}/flanneld`;
export const FLANNELCTL = `${NODE_BIN}/flannelctl`;
export const FLANNELD_LOG = '/var/log/flanneld.log';
export const SUBNET_FILE = '/run/flannel/subnet.env';

const TAG = /^[0-9a-f]{6}$/;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function stateDirectory(tag: string): string {
  if (!isTag(tag)) throw new InputError(`${JSON.stringify(tag)} is no tag of a drill`);
  return `${DRILL_ROOT}/${tag}`;
}

/** What a holder runs; its path in the process list marks the holder, so that it is found when every file about it is lost. */
export function holderScriptPath(tag: string): string {
  return `${stateDirectory(tag)}/holder.sh`;
}

/** The reverse; `undefined` for any other path. */
export function tagOfHolderScript(path: string): string | undefined {
  const tag = path.slice(DRILL_ROOT.length + 1).split('/')[0] ?? '';
  return isTag(tag) && path === holderScriptPath(tag) ? tag : undefined;
}

/** The directory that holds the file store, seen under the same path by the machine and by every node. */
export function storeDirectory(tag: string): string {
  return `${stateDirectory(tag)}/store`;
}

export function nodeName(tag: string, index: number): string {
  return `node${index}-${tag}`;
}

export function publicIpOf(index: number): string {
  return `192.168.10.${10 + index}`;
}

/** Name of the switch's port that leads to the node. */
export function portOf(index: number): string {
  return `port${index}`;
}

/** The subnet a node asks for; flannel gives it when nobody holds it. */
export function wantedSubnet(index: number): { readonly network: string; readonly gateway: string } {
  return { network: `10.244.${index}.0/24`, gateway: `10.244.${index}.1` };
}
