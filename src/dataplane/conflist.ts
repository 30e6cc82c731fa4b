import { isDeepStrictEqual } from 'node:util';

export interface ConflistInput {
  /** Where subnet.env is; flannel's CNI plugin looks in /run/flannel when it is not told. */
  readonly subnetFile: string;
}

/** Where kubelet and the container runtimes look, under the name flannel's own manifests give it. */
export const CONFLIST_PATH = '/etc/cni/net.d/10-flannel.conflist';

const DEFAULT_SUBNET_FILE = '/run/flannel/subnet.env';

/** Flannel's CNI configuration as its manifests ship it (kube-flannel.yml, cni-conf.json), with the path of subnet.env where it is another. */
export function renderConflist({ subnetFile }: ConflistInput): string {
  const flannel = {
    type: 'flannel',
    ...(subnetFile !== DEFAULT_SUBNET_FILE && { subnetFile }),
    delegate: { hairpinMode: true, isDefaultGateway: true },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return `${JSON.stringify({ name: 'cbr0', cniVersion: '0.3.1', plugins: [flannel, portmap] }, null, 2)}\n`;
}

/** What is to be done with the file that is there. */
export type ConflistVerdict =
  | { readonly kind: 'write' | 'in-order' }
  /** Somebody else's: it stays. */
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Only a file that flannel ships is replaced. One that has somebody's own settings stays, and is in order when it leads flannel's plugin
 * to this subnet.env.
 */
export function judgeConflist(text: string | undefined, { subnetFile }: ConflistInput): ConflistVerdict {
  if (text === undefined) return { kind: 'write' };
  const there = parseObject(text);
  const plugin = there === undefined ? undefined : flannelPlugin(there);
  if (plugin === undefined) return { kind: 'foreign', reason: 'it is not of flannel' };
  const reads = plugin['subnetFile'] ?? DEFAULT_SUBNET_FILE;
  if (reads === subnetFile) return { kind: 'in-order' };
  const isShipped = isDeepStrictEqual(there, parseObject(renderConflist({ subnetFile: String(reads) })));
  if (isShipped) return { kind: 'write' };
  return {
    kind: 'foreign',
    reason: `it has settings of its own and reads ${JSON.stringify(reads).slice(0, 200)}, not ${subnetFile}`,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

/** A list of plugins, or one alone as in a .conf file. */
function flannelPlugin(document: JsonObject): JsonObject | undefined {
  const { plugins } = document;
  const all: readonly unknown[] = Array.isArray(plugins) ? plugins : [document];
  return all.filter(isObject).find(({ type }) => type === 'flannel');
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
