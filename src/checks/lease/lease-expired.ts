import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { restartCommand } from '../../doctor/restart.ts';
import { leasesFact, ownLeaseFact, vxlanConfigFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { interfacesFact } from '../../facts/interfaces.ts';
import { underlayFact } from '../../facts/overlay.ts';

interface Values {
  readonly publicIp: string;
  readonly device: string;
  /** Address that flannel.N still carries; `null`: none. */
  readonly address: string | null;
}

export default defineCheck({
  id: 'lease-expired',
  group: 'lease',
  severity: 'error',
  repair: 'no',
  needs: {
    ownLease: { judged: ownLeaseFact },
    leases: leasesFact,
    vxlan: vxlanConfigFact,
    underlay: underlayFact,
    interfaces: interfacesFact,
    flannel: flannelFact,
  },
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'lease-duplicate-subnet',
      because: () => ({
        en: 'the record of our subnet now names another host, so none is left for this one',
        zh: '本节点子网的记录已写成另一台主机，因此本节点没有租约',
      }),
    },
    {
      id: 'lease-stolen-unnoticed',
      because: () => ({
        en: 'the record of our subnet was written over and now names another host',
        zh: '本节点子网的记录已被改写成另一台主机',
      }),
    },
    {
      id: 'lease-unparsable',
      because: ({ about }) =>
        about.includes('node')
          ? {
              en: 'the record of our subnet is there, but nobody can read whose it is',
              zh: '本节点子网的记录还在，但无法读出它属于谁',
            }
          : undefined,
    },
    {
      id: 'out-of-subnets',
      // Whose overlay still has an address had a lease: it was lost before the subnets were.
      because: (_cause, { values }) =>
        values.address === null
          ? { en: 'there was no subnet left to give to this node', zh: '没有剩余子网可分配给本节点' }
          : undefined,
    },
  ],
  say: {
    en: {
      title: 'this node holds a subnet lease',
      summary: ([{ publicIp, device, address }]: NonEmpty<Values>) =>
        `no lease in the datastore names ${publicIp}${address === null ? '' : `, while ${device} still has ${address}`}`,
      remedy: () => 'Restart flanneld: it takes the subnet of subnet.env again if nobody holds it.',
    },
    zh: {
      title: '本节点持有子网租约',
      summary: ([{ publicIp, device, address }]: NonEmpty<Values>) =>
        `数据存储中没有 ${publicIp} 的租约${address === null ? '' : `，而 ${device} 仍带有地址 ${address}`}`,
      remedy: () => '重启 flanneld：若 subnet.env 中的子网无人持有，它会重新取得。',
    },
  },
  logs: [/Lease has been revoked\. Shutting down daemon/, /Stopped monitoring lease/],
  proof: 'drill',
  evaluate: ({ ownLease, leases, vxlan, underlay, interfaces, flannel }) => {
    if (ownLease.status === 'known') return [];
    const restart = restartCommand(flannel);
    const device = `flannel.${vxlan.vni}`;
    const address = interfaces.find(({ name }) => name === device)?.addresses.find(({ family }) => family === 4);
    const values: Values = {
      publicIp: underlay.publicIp ?? underlay.publicIpv6 ?? 'this host',
      device,
      address: address === undefined ? null : `${address.ip}/${address.prefixLength}`,
    };
    return [
      {
        values,
        about: ['node'],
        evidence: [
          { what: 'leases that name this host', observed: 0, expected: 1, source: leases.source },
          { what: `address of ${device}`, observed: values.address, source: `ip addr show dev ${device}` },
        ],
        remedy: {
          commands: restart === undefined ? [] : [restart],
          actions: [],
          automatic: 'no',
          risk: {
            en: 'If the subnet is taken meanwhile, this node gets another one and its pods must be recreated.',
            zh: '若该子网已被占用，本节点会得到另一个子网，需要重建其上的 Pod。',
          },
        },
      },
    ];
  },
});
