import { dirname } from 'node:path/posix';
import { entering, must } from './enter.ts';
import type { DrillNode } from './fault.ts';
import { startFlanneld, stopFlanneld } from './flanneld.ts';
import { nodeName, publicIpOf } from './layout.ts';
import type { ClusterRecord, NodeRecord } from './record.ts';
import type { DrillTools } from './tools.ts';

/** The node as faults see it. Files go through its own namespaces: a symbolic link in it never leads to the machine. */
export function drillNode(tools: DrillTools, record: ClusterRecord, own: NodeRecord): DrillNode {
  const { host } = tools;
  const mustRun: DrillNode['must'] = (argv, options) => must(host, entering(own.holder, argv), options);
  const flanneld = { tools, record, holder: own.holder };
  return {
    index: own.index,
    name: nodeName(record.tag, own.index),
    publicIp: publicIpOf(own.index),
    underlayDevice: 'eth0',
    device: 'flannel.1',
    subnet: own.subnet,
    vtepMac: own.vtepMac,
    exec: (argv, options) => host.exec(entering(own.holder, argv), options),
    must: mustRun,
    readFile: (path) => mustRun(['cat', '--', path]),
    writeFile: async (path, content) => {
      await mustRun(['sh', '-c', WRITE_SCRIPT, 'sh', dirname(path), path], { input: content });
    },
    startFlanneld: () => startFlanneld(flanneld),
    stopFlanneld: () => stopFlanneld(flanneld),
  };
}

const WRITE_SCRIPT = 'mkdir -p -- "$1" && cat >"$2"';
