import { isFlannelDevice } from '../../dataplane/device.ts';
import { defineCheck, type Evidence, type FactsOf, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { restartCommand } from '../../doctor/restart.ts';
import { leasesFact, networkConfigFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { actualOverlayFact } from '../../facts/overlay.ts';
import { backendNameOf, publishedBackend } from '../../leases/backend.ts';

interface Difference {
  readonly what: 'BackendType' | 'BackendData' | 'BackendV6Data' | 'VNI';
  readonly published: string | number;
  readonly expected: string | number;
  /** Where the expected value stands. */
  readonly source: string;
}

interface Values {
  readonly key: string;
  readonly differences: NonEmpty<Difference>;
  /** Whether peers cannot make entries of it, so that they do not send to this node. */
  readonly isUseless: boolean;
}

const needs = {
  own: ownLeaseFact,
  leases: leasesFact,
  config: networkConfigFact,
  actual: actualOverlayFact,
  flannel: flannelFact,
};

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-attrs-mismatch',
  group: 'lease',
  severity: 'error',
  repair: 'no',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'netconf-backend-missing',
      because: (_cause, { values }) =>
        values.differences.some(({ what }) => what === 'BackendType')
          ? {
              en: 'the configuration names no backend, so every lease publishes another one',
              zh: '配置没有写明后端，因此每个租约公布的都是另一种',
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: "this node's lease publishes the backend that runs here",
      summary: ([{ key, differences }]) =>
        `the lease ${key} publishes ${differences.map(({ what, published, expected }) => `${what} ${published}, not ${expected}`).join('; ')}`,
      remedy: () => 'Restart flanneld, which writes its lease anew with the same subnet.',
    },
    zh: {
      title: '本节点的租约公布的是本机运行的后端',
      summary: ([{ key, differences }]) =>
        `租约 ${key} 公布的 ${differences.map(({ what, published, expected }) => `${what} 是 ${published}，应为 ${expected}`).join('；')}`,
      remedy: () => '重启 flanneld，它会以同一子网重写租约。',
    },
  },
  proof: 'drill',
  evaluate: (facts): readonly Finding<Values>[] => {
    const [first, ...rest] = differencesOf(facts);
    return first === undefined ? [] : [findingOf([first, ...rest], facts)];
  },
});

/** The first of type, data and VNI that is wrong makes the others meaningless. The MAC is vtep-mac-mismatch. */
function differencesOf(facts: Facts): readonly Difference[] {
  const { own, config } = facts;
  const published = publishedBackend(own);
  const wanted = backendNameOf(config.config.backend);
  if (published !== wanted) {
    if (isSharedByPeers(published, facts)) return [];
    return [{ what: 'BackendType', published, expected: wanted, source: config.source }];
  }
  return wanted === 'vxlan' ? [...dataDifferences(facts), ...vniDifferences(facts)] : [];
}

/** Where peers have the type of this node and others that of the configuration, the cluster is mixed (backend-mixed), not this lease wrong. */
function isSharedByPeers(published: string, { own, leases, config }: Facts): boolean {
  const peers = leases.records.flatMap((record) =>
    record.kind === 'lease' && record.key !== own.key ? [publishedBackend(record)] : [],
  );
  return peers.includes(published) && peers.includes(backendNameOf(config.config.backend));
}

/** Without data that parse, peers have no MAC and make no entries. */
function dataDifferences({ own, config, leases }: Facts): readonly Difference[] {
  const { attributes, subnet, ipv6Subnet } = own;
  const source = `${leases.source}, key ${own.key}`;
  const wants = { expected: 'a VNI and a VTEP MAC', source };
  const stateOf = (data: unknown) => (data === null || data === undefined ? 'nothing' : 'what does not parse');
  return [
    ...(config.config.enableIPv4 && subnet !== null && attributes.vtep === null
      ? [{ what: 'BackendData' as const, published: stateOf(attributes.backendData), ...wants }]
      : []),
    ...(config.config.enableIPv6 && ipv6Subnet !== null && attributes.vtepV6 === null
      ? [{ what: 'BackendV6Data' as const, published: stateOf(attributes.backendV6Data), ...wants }]
      : []),
  ];
}

/** Against a device that is as configured; where none is, that is for the link's own checks. */
function vniDifferences({ own, config, actual }: Facts): readonly Difference[] {
  const { backend } = config.config;
  const { vtep, vtepV6 } = own.attributes;
  const link = actual.links.find(
    ({ device, vni }) => isFlannelDevice(device) && backend.type === 'vxlan' && vni === backend.vni,
  );
  const wrong = [vtep, vtepV6].find((end) => end !== null && link !== undefined && end.vni !== link.vni);
  if (wrong === undefined || wrong === null || link === undefined) return [];
  return [{ what: 'VNI', published: wrong.vni, expected: link.vni, source: `ip -d link show ${link.device}` }];
}

function findingOf(differences: NonEmpty<Difference>, { own, flannel }: Facts): Finding<Values> {
  const restart = restartCommand(flannel);
  const [first, ...rest] = differences;
  const evidence = ({ what, published, expected, source }: Difference): Evidence => ({
    what: `${what} in the lease ${own.key}`,
    observed: published,
    expected,
    source: `flannelctl leases show ${own.subnet ?? own.ipv6Subnet ?? own.key}; ${source}`,
  });
  return {
    values: { key: own.key, differences, isUseless: differences.some(({ what }) => what !== 'VNI') },
    about: ['node'],
    evidence: [evidence(first), ...rest.map(evidence)],
    remedy: { commands: restart === undefined ? [] : [restart], actions: [], automatic: 'no', risk: RISK },
  };
}

const RISK = {
  en: 'none for running pods as long as the subnet is within the network configuration',
  zh: '只要子网符合网络配置，对运行中的 Pod 没有影响',
};
