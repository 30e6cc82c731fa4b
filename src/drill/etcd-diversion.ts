import { UnavailableError } from '../errors.ts';
import type { DrillNode } from './fault.ts';
import { ETCD_ENDPOINT, ETCD_PREFIX, SWITCH_IP } from './layout.ts';

export const ETCD_PORT = 2379;
export const CONFIG_KEY = `${ETCD_PREFIX}/config`;

/** The program and the flags with which a person would ask the drill's etcd, from the switch or from a node. */
export function etcdctl(...args: readonly string[]): readonly [string, ...string[]] {
  return etcdctlAt(ETCD_ENDPOINT, ...args);
}

export function etcdctlAt(endpoint: string, ...args: readonly string[]): readonly [string, ...string[]] {
  return ['env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints', endpoint, '--command-timeout=5s', ...args];
}

const TABLE = 'flannelctl_drill_etcd';

/** From now on the node's connections to etcd meet this rule. */
export async function ruleToEtcd(node: DrillNode, chain: 'filter' | 'nat', rule: string): Promise<void> {
  await clearRule(node);
  const priority = chain === 'nat' ? '-100' : '0';
  const hook = `type ${chain} hook output priority ${priority}; policy accept;`;
  const match = `ip daddr ${SWITCH_IP} tcp dport ${ETCD_PORT}`;
  await node.must(['nft', '-f', '-'], {
    input: `table ip ${TABLE} {\n  chain output {\n    ${hook}\n    ${match} ${rule}\n  }\n}\n`,
  });
}

/** No error when there is none. */
export async function clearRule(node: DrillNode): Promise<void> {
  await node.exec(['nft', 'delete', 'table', 'ip', TABLE]);
}

/** Starts a program in the node that goes on by itself, and waits until something listens on the port there. */
export async function serveThere(node: DrillNode, port: number, argv: readonly string[]): Promise<void> {
  await stopThere(node);
  await node.must(['sh', '-c', START, 'sh', PID_FILE, ...argv]);
  const { exitCode } = await node.exec(['sh', '-c', AWAIT, 'sh', String(port)], { timeoutMs: 20_000 });
  if (exitCode !== 0) throw new UnavailableError('timeout', `${argv[0]} does not listen in ${node.name}`);
}

/** No error when it does not run. */
export async function stopThere(node: DrillNode): Promise<void> {
  await node.exec(['sh', '-c', STOP, 'sh', PID_FILE]);
}

const PID_FILE = '/run/flannelctl-drill.pid';
const START = 'file=$1; shift; setsid "$@" >"$file.log" 2>&1 </dev/null & echo $! >"$file"';
const STOP = 'if [ -e "$1" ]; then kill -KILL "$(cat "$1")"; rm -rf "$1" "$1.data"; fi';
/** Ports are hexadecimal in /proc/net/tcp, and 0A is LISTEN. */
const AWAIT = `wanted=$(printf ':%04X' "$1")
tries=0
until awk -v wanted="$wanted" 'index($2, wanted) && $4 == "0A" { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6; do
  tries=$((tries + 1))
  if [ $tries -gt 150 ]; then exit 1; fi
  sleep 0.1
done
`;
