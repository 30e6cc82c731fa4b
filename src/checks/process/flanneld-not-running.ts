import { defineCheck, type Evidence, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_EVIDENCE } from '../../doctor/no-datastore.ts';
import { startCommand } from '../../doctor/restart.ts';
import { type FlannelInstall, flannelFact } from '../../facts/flannel.ts';

interface Values {
  /** `flanneld.service`; `null`: there is none. */
  readonly unit: string | null;
  readonly traces: readonly string[];
  /** `null`: how it was started is not known. */
  readonly command: string | null;
}

export default defineCheck({
  id: 'flanneld-not-running',
  group: 'process',
  severity: 'error',
  repair: 'no',
  needs: { flannel: flannelFact },
  say: {
    en: {
      title: 'flannel runs on this node',
      summary: ([{ unit, traces }]: NonEmpty<Values>) =>
        `no flanneld runs, though ${unit === null ? `${traces[0]} shows that it did` : `${unit} should start it`}`,
      remedy: ([{ command }]) =>
        command === null
          ? 'Start flanneld; nothing here says how it was started.'
          : 'Start flanneld; the overlay keeps its last state until then.',
    },
    zh: {
      title: '本节点上运行着 flannel',
      summary: ([{ unit, traces }]) =>
        `没有 flanneld 在运行，${unit === null ? `但 ${traces[0]} 表明它曾经运行过` : `本应由 ${unit} 启动`}`,
      remedy: ([{ command }]) =>
        command === null
          ? '启动 flanneld；本机没有信息说明它原来如何启动。'
          : '启动 flanneld；在此之前覆盖网络保持最后的状态。',
    },
  },
  proof: 'drill',
  evaluate: ({ flannel }) =>
    flannel.process === null && (flannel.unit !== null || flannel.traces.length > 0) ? [findingOf(flannel)] : [],
});

function findingOf(flannel: FlannelInstall): Finding<Values> {
  const { unit, traces, datastore } = flannel;
  const command = startCommand(flannel) ?? null;
  const source = 'ls /proc/*/comm';
  const unitEvidence: readonly Evidence[] =
    unit === null ? [] : [{ what: 'systemd unit', observed: unit, source: `systemctl status ${unit}` }];
  return {
    values: { unit, traces, command },
    about: ['node'],
    evidence: [
      { what: 'flanneld, k3s, rke2 or flannelctl up in this network namespace', observed: 0, expected: 1, source },
      ...unitEvidence,
      ...traces.map((trace) => ({ what: 'trace of flannel', observed: trace, source: 'flannelctl doctor' })),
      { what: DATASTORE_EVIDENCE, observed: datastore === null ? null : datastore.kind, source: flannel.optionsSource },
    ],
    remedy: {
      commands: command === null ? [] : [command],
      actions: [],
      automatic: 'ask',
      risk: {
        en: 'none; if the lease has run out, the node may get another subnet',
        zh: '无；若租约已经过期，本节点可能得到另一个子网',
      },
    },
  };
}
