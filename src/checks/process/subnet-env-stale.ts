import { subnetMtu } from '../../dataplane/subnet-env.ts';
import { defineCheck, type FactsOf, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { rewriteRemedy } from '../../doctor/subnet-env-remedy.ts';
import { networkConfigFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { actualOverlayFact, underlayFact } from '../../facts/overlay.ts';
import { subnetEnvFact } from '../../facts/subnet-env.ts';

/** A key of the file that says something else than flannel would write. */
interface Difference {
  readonly key: string;
  readonly written: string | number;
  readonly expected: string | number;
  /** Where the expected value stands. */
  readonly source: string;
}

interface Values {
  readonly path: string;
  readonly differences: NonEmpty<Difference>;
}

const needs = {
  file: subnetEnvFact,
  // Whose lease it is, is judged elsewhere: without one of our own there is nothing to compare the file with.
  lease: ownLeaseFact,
  config: networkConfigFact,
  underlay: { optional: underlayFact },
  actual: { optional: actualOverlayFact },
  flannel: flannelFact,
};

type Facts = FactsOf<typeof needs>;

export default defineCheck({
  id: 'subnet-env-stale',
  group: 'process',
  severity: 'error',
  repair: 'ask',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'lease-outside-network',
      because: ({ about }, { values }) =>
        about.includes('node') && values.differences.every(({ key }) => key.endsWith('_NETWORK'))
          ? {
              en: 'the network configuration was changed; the file and our lease are as they were before',
              zh: '网络配置已更改；子网文件和本节点租约仍是更改前的',
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: "the subnet file agrees with this node's lease and configuration",
      summary: ([{ path, differences }]: NonEmpty<Values>) =>
        `${path} has ${differences.map(({ key, written, expected }) => `${key} ${written}, not ${expected}`).join('; ')}`,
      remedy: () =>
        'Restart flanneld, which writes the file anew; then recreate pods whose address is outside the subnet.',
    },
    zh: {
      title: '子网文件与本节点的租约和网络配置一致',
      summary: ([{ path, differences }]) =>
        `${path} 中 ${differences.map(({ key, written, expected }) => `${key} 为 ${written}，应为 ${expected}`).join('；')}`,
      remedy: () => '重启 flanneld，由它重新写出该文件；然后重建地址不在该子网内的 Pod。',
    },
  },
  logs: [
    /Found previously leased subnet .* not compatible with the Etcd network config/,
    /Failed to write subnet file/,
  ],
  proof: 'drill',
  evaluate: (facts): readonly Finding<Values>[] => {
    const { file, lease, config } = facts;
    const [first, ...more] = [...networkDifferences(facts), ...subnetDifferences(facts), ...mtuDifference(facts)];
    if (first === undefined) return [];
    const evidence = ({ key, written, expected, source }: Difference) => ({
      what: `${key} in ${file.path}`,
      observed: written,
      expected,
      source: `grep ${key} ${file.path}; ${source}`,
    });
    return [
      {
        values: { path: file.path, differences: [first, ...more] },
        about: ['node'],
        evidence: [evidence(first), ...more.map(evidence)],
        remedy: rewriteRemedy({
          ...facts,
          lease: { status: 'known', value: lease },
          config: { status: 'known', value: config },
        }),
      },
    ];
  },
});

function networkDifferences({ file, config: { config, source } }: Facts): readonly Difference[] {
  const compare = (key: string, written: readonly string[] | null, expected: string | null) =>
    written === null || expected === null || written.includes(expected)
      ? []
      : [{ key, written: written.join(','), expected, source }];
  return [
    ...compare('FLANNEL_NETWORK', file.networks, config.enableIPv4 ? config.network : null),
    ...compare('FLANNEL_IPV6_NETWORK', file.ipv6Networks, config.enableIPv6 ? config.ipv6Network : null),
  ];
}

function subnetDifferences({ file, lease }: Facts): readonly Difference[] {
  const source = 'flannelctl leases list --state this-host';
  const compare = (key: string, written: string | null, expected: string | null) =>
    written === null || expected === null || written === expected ? [] : [{ key, written, expected, source }];
  return [
    ...compare('FLANNEL_SUBNET', file.subnet, lease.subnet),
    ...compare('FLANNEL_IPV6_SUBNET', file.ipv6Subnet, lease.ipv6Subnet),
  ];
}

/** A file that agrees with flannel.N was right when it was written: what is wrong then is the device (mtu-mismatch). */
function mtuDifference({ file, config: { config }, underlay, actual }: Facts): readonly Difference[] {
  const written = file.mtuBytes;
  if (written === null || underlay.status !== 'known' || config.backend.type !== 'vxlan') return [];
  // flanneld leaves 50 bytes for the headers in either family, though IPv6 takes 70 (flannel pkg/backend/vxlan newVXLANDevice).
  const outer = config.backend.outerMtuBytes ?? underlay.value.mtuBytes;
  const expected = subnetMtu(config, underlay.value.mtuBytes);
  const links = actual.status === 'known' ? actual.value.links : [];
  const isRight = [expected, outer - 50, ...links.map(({ mtuBytes }) => mtuBytes)].includes(written);
  return isRight ? [] : [{ key: 'FLANNEL_MTU', written, expected, source: `ip link show ${underlay.value.device}` }];
}
