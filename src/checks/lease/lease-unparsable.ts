import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { restartCommand } from '../../doctor/restart.ts';
import { leasesFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { actualOverlayFact } from '../../facts/overlay.ts';
import { isReservation } from '../../leases/reservation.ts';

type BadRecord = Exclude<FactsOf<typeof needs>['leases']['records'][number], { readonly kind: 'lease' }>;

interface Values {
  readonly kind: BadRecord['kind'];
  readonly key: string;
  readonly reason: string;
}

const needs = { leases: leasesFact, flannel: flannelFact, actual: { optional: actualOverlayFact } };

type Facts = FactsOf<typeof needs>;

export default defineCheck<typeof needs, Values>({
  id: 'lease-unparsable',
  group: 'lease',
  severity: 'warning',
  scope: 'cluster',
  repair: 'no',
  needs,
  causedBy: DATASTORE_CAUSES,
  say: {
    en: {
      title: 'every record among the leases is one that flannel can read',
      summary: (all) => nameEn(all.map(({ key, reason }) => `flannel ignores the record ${key}: ${reason}`)),
      remedy: (all) =>
        all.every(({ kind }) => kind === 'malformed-key')
          ? 'Prune the records that are no leases.'
          : 'Let flanneld of the host that has the subnet write its record anew; prune what is no lease.',
    },
    zh: {
      title: '租约中的每条记录都是 flannel 能读的',
      summary: (all) => nameZh(all.map(({ key, reason }) => `flannel 忽略记录 ${key}：${reason}`)),
      remedy: (all) =>
        all.every(({ kind }) => kind === 'malformed-key')
          ? '清理不是租约的记录。'
          : '让持有该子网的主机上的 flanneld 重写其记录；清理不是租约的记录。',
    },
  },
  logs: [/Ignoring bad subnet node/, /not a subnet, skipping/],
  proof: 'drill',
  evaluate: (facts) =>
    facts.leases.records.flatMap((record) =>
      record.kind === 'lease' || isReservation(record) ? [] : [findingOf(record, facts)],
    ),
});

function findingOf(record: BadRecord, facts: Facts): Finding<Values> {
  const { kind, key, reason, value } = record;
  const isOwn = isConfiguredHere(record, facts);
  return {
    values: { kind, key, reason },
    about: isOwn ? ['node'] : [`key:${key}`],
    evidence: [
      { what: 'key', observed: key, expected: 'ADDRESS-LENGTH, as 10.244.1.0-24', source: facts.leases.source },
      { what: 'value', observed: value, source: 'flannelctl leases list -o json' },
    ],
    remedy: remedyOf(record, isOwn, facts),
  };
}

/** flannel.N has the network address of the subnet. */
function isConfiguredHere(record: BadRecord, { actual }: Facts): boolean {
  if (record.kind === 'malformed-key' || actual.status !== 'known') return false;
  const starts = [record.subnet, record.ipv6Subnet].flatMap((subnet) => subnet?.split('/')[0] ?? []);
  return actual.value.addresses.some(({ address }) => starts.includes(address.split('/')[0] ?? ''));
}

/** A key that is no subnet serves nobody; a subnet may be in use whatever its value says. */
function remedyOf(record: BadRecord, isOwn: boolean, { flannel }: Facts): Remedy {
  if (flannel.subnetManager === 'kube') {
    return { commands: ['flannelctl leases list'], actions: [], automatic: 'no', risk: RISK };
  }
  const restart = restartCommand(flannel);
  const subnet = record.kind === 'malformed-key' ? null : (record.subnet ?? record.ipv6Subnet);
  const show = subnet === null ? 'flannelctl leases prune --dry-run' : `flannelctl leases show ${subnet}`;
  const act = subnet === null ? ['flannelctl leases prune'] : isOwn && restart !== undefined ? [restart] : [];
  return { commands: [show, ...act], actions: [], automatic: 'no', risk: RISK };
}

const RISK = {
  en: 'the record of a subnet that is in use must not be deleted: its owner would end',
  zh: '不能删除正在使用的子网的记录：其所有者会退出',
};
