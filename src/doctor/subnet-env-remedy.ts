import { renderSubnetEnv, type SubnetEnvInput, subnetMtu } from '../dataplane/subnet-env.ts';
import type { NetworkConfigFact } from '../facts/datastore.ts';
import type { Observed } from '../facts/fact.ts';
import type { FlannelInstall } from '../facts/flannel.ts';
import type { Underlay } from '../facts/overlay.ts';
import type { SubnetEnv } from '../facts/subnet-env.ts';
import type { Action, Remedy } from './check.ts';
import { restartCommand } from './restart.ts';

export interface RewriteParts {
  readonly file: SubnetEnv;
  readonly flannel: FlannelInstall;
  readonly lease: Observed<SubnetEnvInput['lease']>;
  readonly config: Observed<NetworkConfigFact>;
  readonly underlay: Observed<Underlay>;
}

/** Writes subnet.env as flannel would. Without lease, configuration or underlay only flannel itself can. */
export function rewriteRemedy(parts: RewriteParts): Remedy {
  const restart = restartCommand(parts.flannel);
  return {
    commands: restart === undefined ? [] : [restart],
    actions: rewriteActions(parts),
    automatic: 'ask',
    risk: {
      en: 'none for running pods; pods whose address is outside the subnet must be recreated',
      zh: '对运行中的 Pod 没有影响；地址不在该子网内的 Pod 需要重建',
    },
  };
}

function rewriteActions({ file, flannel, lease, config, underlay }: RewriteParts): readonly Action[] {
  if (lease.status !== 'known' || config.status !== 'known' || underlay.status !== 'known') return [];
  const network = config.value.config;
  if (network.backend.type !== 'vxlan') return [];
  const content = renderSubnetEnv({
    config: network,
    lease: lease.value,
    mtuBytes: subnetMtu(network, underlay.value.mtuBytes),
    ipMasq: file.ipMasq ?? flannel.options.ipMasq,
  });
  return [{ kind: 'file', path: file.path, content, mode: 0o644 }];
}
