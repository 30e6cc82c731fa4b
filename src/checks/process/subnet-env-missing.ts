import type { ActualOverlay } from '../../dataplane/entry.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { startCauses } from '../../doctor/datastore-causes.ts';
import { restartCommand } from '../../doctor/restart.ts';
import type { Observed } from '../../facts/fact.ts';
import { type FlannelInstall, flannelFact } from '../../facts/flannel.ts';
import { actualOverlayFact } from '../../facts/overlay.ts';
import { subnetEnvFact } from '../../facts/subnet-env.ts';

interface Values {
  readonly path: string;
  /** Whether flannel got as far as its device since the boot; `null`: could not be looked at. */
  readonly hasDevice: boolean | null;
  readonly isRunning: boolean;
}

export default defineCheck({
  id: 'subnet-env-missing',
  group: 'process',
  severity: 'error',
  repair: 'no',
  needs: { file: { judged: subnetEnvFact }, flannel: flannelFact, actual: { optional: actualOverlayFact } },
  causedBy: [
    {
      id: 'flanneld-not-running',
      // flannel leaves the file when it ends; only where it has not run since the boot there is no device either.
      because: (_cause, { values }: Finding<Values>) =>
        values.hasDevice === false
          ? {
              en: 'flanneld has not come up since the boot: its device is missing too, and /run starts empty',
              zh: '启动以来 flanneld 没有起来：它的设备也不存在，而 /run 在启动时为空',
            }
          : undefined,
    },
    ...startCauses(({ values }: Finding<Values>) => values.hasDevice === false),
  ],
  say: {
    en: {
      title: 'the subnet file exists',
      summary: ([{ path }]: NonEmpty<Values>) => `${path} does not exist, so no pod can get an address`,
      remedy: ([{ isRunning }]) =>
        isRunning ? 'Restart flanneld, which writes the file.' : 'Start flanneld, which writes the file.',
    },
    zh: {
      title: '子网文件存在',
      summary: ([{ path }]) => `${path} 不存在，Pod 无法获得地址`,
      remedy: ([{ isRunning }]) => (isRunning ? '重启 flanneld，由它写出该文件。' : '启动 flanneld，由它写出该文件。'),
    },
  },
  logs: [
    /open \/run\/flannel\/subnet\.env: no such file or directory/,
    /loadFlannelSubnetEnv failed/,
    /failed to load flannel 'subnet\.env' file/,
  ],
  proof: 'drill',
  evaluate: ({ file, flannel, actual }) => (file.status === 'known' ? [] : [findingOf(flannel, actual)]),
});

function findingOf(flannel: FlannelInstall, actual: Observed<ActualOverlay>): Finding<Values> {
  const path = flannel.options.subnetFile;
  const hasDevice = actual.status === 'known' ? actual.value.links.length > 0 : null;
  return {
    values: { path, hasDevice, isRunning: flannel.process !== null },
    about: ['node'],
    evidence: [
      { what: path, observed: 'no such file', expected: 'written by flannel', source: `ls -l ${path}` },
      { what: 'a vxlan device of flannel exists', observed: hasDevice, source: 'ip -d link show type vxlan' },
    ],
    remedy: {
      commands: commandsFor(flannel),
      actions: [],
      automatic: 'no',
      risk: {
        en: 'a file written by hand hides why flannel did not write it, and often names the subnet of another node',
        zh: '手工编写的文件会掩盖 flannel 未写出它的原因，并且常常写成另一节点的子网',
      },
    },
  };
}

/** Our own agent refuses to run beside a flanneld, so it is offered only where none runs. */
function commandsFor(flannel: FlannelInstall): readonly string[] {
  const restart = restartCommand(flannel);
  if (restart !== undefined) return [restart];
  return flannel.process === null ? ['flannelctl up --once'] : [];
}
