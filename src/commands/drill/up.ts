import { BaseCommand } from '../../base-command.ts';
import { nodesOf } from '../../drill/cluster.ts';
import { describeCluster, describeClusterText } from '../../drill/list.ts';
import { bringUp } from '../../drill/up.ts';
import { agentFlag, clusterFlags, clusterRequest, NO_DEADLINE_MS } from '../../drill-flags.ts';
import { openDrillTools } from '../../drill-world.ts';
import type { ExitCode } from '../../errors.ts';
import { renderJson } from '../../render/json.ts';

export default class DrillUp extends BaseCommand {
  static override summary = 'Bring up a real overlay of several nodes in network namespaces on this machine';
  static override description =
    'Each node has its own network, mount, PID and UTS namespace, its own /etc, /run, /opt and /var/log, and a pod behind cni0. Nothing is added to the network of this machine. Needs root.';
  static override examples = [
    'sudo <%= config.bin %> drill up',
    'sudo <%= config.bin %> drill up --nodes 5 --store etcd',
    'sudo <%= config.bin %> drill up --store etcd --agent',
    'sudo <%= config.bin %> drill up --store etcd --flanneld /opt/bin/flanneld',
  ];
  static override flags = { ...clusterFlags, ...agentFlag };

  protected async execute(): Promise<ExitCode> {
    const { flags } = await this.parse(DrillUp);
    const format = this.format(flags, ['text', 'json']);
    const tools = await openDrillTools(this.deadline(NO_DEADLINE_MS));
    const record = await bringUp(tools, await clusterRequest(tools.host, flags));
    const cluster = describeCluster(record, nodesOf(tools, record));
    this.print(format === 'json' ? renderJson(cluster) : describeClusterText(cluster));
    return 0;
  }
}
