import { defineCheck, type Evidence, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { restartCommand } from '../../doctor/restart.ts';
import { type FlannelInstall, flannelFact } from '../../facts/flannel.ts';
import { type StoredConfig, storedConfigFact } from '../../facts/stored-config.ts';

interface Values {
  readonly refusal: string;
  readonly source: string;
  readonly hints: readonly string[];
}

export default defineCheck({
  id: 'netconf-malformed',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { stored: storedConfigFact, flannel: flannelFact },
  causedBy: causesBefore('netconf-malformed'),
  say: {
    en: {
      title: 'flannel can parse the network configuration',
      summary: ([{ refusal, hints }]: NonEmpty<Values>) =>
        `${refusal}${hints.length === 0 ? '' : ` (${hints.join(', ')})`}`,
      remedy: ([{ source }]) =>
        `Correct the document (${source}), then restart every flanneld: none reads it again by itself.`,
    },
    zh: {
      title: 'flannel 能解析网络配置',
      summary: ([{ refusal, source }]) => `flannel 无法解析网络配置（${source}）：${refusal}`,
      remedy: ([{ source }]) => `更正该文档（${source}），然后重启所有 flanneld：它们不会自行重新读取。`,
    },
  },
  logs: [
    /error parsing subnet config/,
    /invalid character .* (looking for|after|in)/,
    /invalid CIDR address/,
    /cannot unmarshal/,
    /error decoding (VXLAN |UDP |IPIP )?backend config/,
    /error decoding Backend property/,
  ],
  proof: 'drill',
  evaluate: ({ stored, flannel }) => (stored.refusal === null ? [] : [findingOf(stored, stored.refusal, flannel)]),
});

function findingOf({ source, kind, excerpt, hints }: StoredConfig, refusal: string, flannel: FlannelInstall) {
  const shown: Evidence = {
    what: 'network configuration',
    observed: excerpt,
    expected: 'a document that flannel parses',
    source,
  };
  const more = hints.map((hint): Evidence => ({ what: 'it contains', observed: hint, source }));
  const restart = restartCommand(flannel);
  const values: Values = { refusal, source, hints };
  return {
    values,
    about: ['node'] as const,
    evidence: [
      shown,
      { what: 'what flannel says against it', observed: refusal, expected: null, source },
      ...more,
    ] as const,
    remedy: {
      commands: [
        'flannelctl config validate net-conf.json',
        ...(kind === 'kube' ? [] : ['flannelctl config set net-conf.json']),
        ...(restart === undefined ? [] : [restart]),
      ],
      actions: [],
      automatic: 'no' as const,
      risk: RISK,
    },
  };
}

const RISK = {
  en: 'a flanneld that is restarted with a Network other than the one in use takes another subnet, and its pods must be recreated',
  zh: '如果重启后的 flanneld 读到的 Network 与正在使用的不同，它会取得另一个子网，需要重建其上的 Pod',
};
