import { UnavailableError } from '../errors.ts';
import { entering, must } from './enter.ts';
import type { Holder } from './holder.ts';
import { ETCD_PREFIX, FLANNELCTL, FLANNELD, FLANNELD_LOG, SUBNET_FILE } from './layout.ts';
import { type ClusterRecord, endpointOf } from './record.ts';
import { type DrillTools, waitFor } from './tools.ts';

/** Tells the stand-in how many leases there must be before it programs: it does so once, for all of them. */
export const PEERS_VARIABLE = 'FLANNELCTL_DRILL_PEERS';

/** What flanneld prints when the backend runs; the stand-in says the same when it has programmed the node. */
export const READY_LINE = 'Running backend.';

export interface FlanneldPlace {
  readonly tools: DrillTools;
  readonly record: Pick<ClusterRecord, 'tag' | 'store' | 'flanneld' | 'agent'> & { readonly nodes: readonly unknown[] };
  readonly holder: Holder;
}

/** The arguments of flanneld in a node; the stand-in knows the same ones. */
export function flanneldArguments(record: Pick<ClusterRecord, 'tag' | 'store'>): readonly string[] {
  return [
    `--etcd-endpoints=${endpointOf(record)}`,
    `--etcd-prefix=${ETCD_PREFIX}`,
    '--iface=eth0',
    '--iptables-forward-rules=false',
    `--subnet-file=${SUBNET_FILE}`,
  ];
}

/** What carries the overlay: the agent takes flanneld's arguments as they are. */
function programOf({ agent }: Pick<ClusterRecord, 'agent'>): readonly string[] {
  return agent ? [FLANNELCTL, 'up'] : [FLANNELD];
}

/** So that it is known how flanneld would be started when it does not run; there is no systemd in a node. */
export function flanneldUnit(record: Pick<ClusterRecord, 'tag' | 'store' | 'agent'>): string {
  return `[Unit]
Description=flanneld of a drill
After=network-online.target

[Service]
Type=simple
ExecStart=${[...programOf(record), ...flanneldArguments(record)].join(' ')}
Restart=on-failure

[Install]
WantedBy=multi-user.target
`;
}

/** Starts it and waits until it has programmed the node. */
export async function startFlanneld(place: FlanneldPlace): Promise<void> {
  await launchFlanneld(place);
  await flanneldReady(place);
}

/** As a child of the node's first process, which reaps it. */
export async function launchFlanneld({ tools, record, holder }: FlanneldPlace): Promise<void> {
  const environment = `${PEERS_VARIABLE}=${record.nodes.length}`;
  const command = ['env', environment, ...programOf(record), ...flanneldArguments(record)];
  await must(tools.host, entering(holder, ['sh', '-c', START_SCRIPT, 'sh', FLANNELD_LOG, ...command]));
}

/** @throws {UnavailableError} with the last lines of its log when it ended or did not get that far. */
export async function flanneldReady({ tools, record, holder }: FlanneldPlace): Promise<void> {
  const script = record.agent
    ? [AGENT_READY_SCRIPT, 'sh', FLANNELD_LOG, String(record.nodes.length - 1)]
    : [READY_SCRIPT, 'sh', FLANNELD_LOG, READY_LINE];
  const isReady = () => tools.host.exec(entering(holder, ['sh', '-c', ...script]));
  const ready = await waitFor(tools, { timeoutMs: 30_000, everyMs: 50 }, async () => {
    const { exitCode } = await isReady();
    return exitCode === NOT_YET ? undefined : exitCode;
  });
  if (ready !== 0) throw await notReady({ tools, record, holder });
  if (record.flanneld !== null) await allRoutes({ tools, record, holder });
}

/** The real one programs its peers after that line, one event each. */
async function allRoutes({ tools, record, holder }: FlanneldPlace): Promise<void> {
  await waitFor(tools, { timeoutMs: 5000, everyMs: 50 }, async () => {
    const routes = await tools.host.exec(entering(holder, ['ip', 'route', 'show', 'dev', 'flannel.1']));
    return routes.stdout.split('\n').length > record.nodes.length - 1 ? true : undefined;
  });
}

async function notReady({ tools, holder }: FlanneldPlace): Promise<UnavailableError> {
  const { stdout } = await tools.host.exec(entering(holder, ['tail', '-n', '3', FLANNELD_LOG]));
  return new UnavailableError('unsupported', `flanneld did not come up in a node: ${JSON.stringify(stdout.trim())}`);
}

/** SIGTERM, and SIGKILL after 2 s; also one that was stopped by SIGSTOP. */
export async function stopFlanneld({ tools, holder }: FlanneldPlace): Promise<void> {
  await must(tools.host, entering(holder, ['sh', '-c', STOP_SCRIPT]));
}

const START_SCRIPT = 'log=$1; shift; exec setsid "$@" >"$log" 2>&1 </dev/null &';

/**
 * Processes of that name in the node, and the agent, one pid a line. comm is read, because the program behind the name varies; the
 * agent is told from other flannelctl by its arguments.
 */
const FIND = `find_flanneld() {
  for path in /proc/[0-9]*; do
    name=
    read -r name <"$path/comm" || continue
    case $(tr '\\0' ' ' <"$path/cmdline") in ${FLANNELCTL}' up '*) name=flanneld ;; esac
    read -r line <"$path/stat" || continue
    case \${line##*) } in Z*) continue ;; esac
    if [ "$name" = flanneld ]; then echo "\${path#/proc/}"; fi
  done 2>/dev/null
}
`;

const NOT_YET = 75;
const READY_SCRIPT = `${FIND}grep -qF -- "$2" "$1" && exit 0
[ -s "$1" ] && [ -z "$(find_flanneld)" ] && exit 1
exit ${NOT_YET}
`;

/** Of the agent: that a route to every peer is there. */
const AGENT_READY_SCRIPT = `${FIND}[ -s "$1" ] && [ -z "$(find_flanneld)" ] && exit 1
[ "$(ip route show dev flannel.1 2>/dev/null | wc -l)" -ge "$2" ] && exit 0
exit ${NOT_YET}
`;

const STOP_SCRIPT = `${FIND}
found=$(find_flanneld)
if [ -z "$found" ]; then exit 0; fi
kill -TERM $found
kill -CONT $found
tries=0
while [ -n "$(find_flanneld)" ]; do
  tries=$((tries + 1))
  if [ $tries -eq 200 ]; then kill -KILL $(find_flanneld); fi
  if [ $tries -gt 400 ]; then exit 1; fi
  sleep 0.01
done
exit 0
`;
