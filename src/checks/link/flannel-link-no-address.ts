import { additionsOn, allGone, type Change, changesOf, type EntriesLeft, entriesLeft } from '../../dataplane/drift.ts';
import { carry, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { ownLeaseFact } from '../../facts/datastore.ts';
import { actualOverlayFact, overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  readonly device: string;
  readonly address: string;
  /** Other addresses of the device. */
  readonly others: readonly string[];
  readonly left: EntriesLeft;
}

const needs = { plan: overlayPlanFact, actual: actualOverlayFact, lease: ownLeaseFact };
const FLUSHED = ['neighbour', 'route'] as const;

export default defineCheck<typeof needs, Values>({
  id: 'flannel-link-no-address',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'flannel-link-missing',
      because: allGone('address', (device) => ({
        en: `${device} does not exist, so nothing can carry the address`,
        zh: `${device} 不存在，地址无处可配`,
      })),
    },
    {
      id: 'flannel-link-incompatible',
      because: allGone('address', (device) => ({
        en: `${device} was made by somebody else, without flannel's address`,
        zh: `${device} 是被别的程序创建的，没有 flannel 的地址`,
      })),
    },
    {
      id: 'flannel-link-down',
      because: allGone('address', (device) => ({
        en: `${device} is down; the kernel drops the IPv6 addresses of such a device`,
        zh: `${device} 处于 DOWN 状态，内核会清除其 IPv6 地址`,
      })),
    },
    {
      id: 'lease-duplicate-subnet',
      because: (cause, { values: { device } }) =>
        isHeldOn(cause.values, device)
          ? {
              en: `${device} still carries the address of a subnet that another host leases now`,
              zh: `${device} 上仍是已被其他主机租用的子网的地址`,
            }
          : undefined,
    },
    {
      id: 'mtu-mismatch',
      because: allGone('address', (device) => ({
        en: `the mtu of ${device} is below 1280, where the kernel drops IPv6 addresses`,
        zh: `${device} 的 MTU 低于 1280，内核会清除其 IPv6 地址`,
      })),
    },
  ],
  say: {
    en: {
      title: "flannel's vxlan device has the address of this node's subnet",
      summary: (all) =>
        nameEn(all.map(({ device, address, others }) => `${device} has no address ${address}${insteadEn(others)}`)),
      remedy: (all) => `Add ${nameEn(all.map(({ address }) => address))}, and the entries the kernel flushed with it.`,
    },
    zh: {
      title: 'flannel 的 vxlan 设备配有本节点子网的地址',
      summary: (all) =>
        nameZh(all.map(({ device, address, others }) => `${device} 没有地址 ${address}${insteadZh(others)}`)),
      remedy: (all) => `添加 ${nameZh(all.map(({ address }) => address))}，并写回随之被内核清空的表项。`,
    },
  },
  repair: 'yes',
  proof: 'drill',
  evaluate: (facts) =>
    changesOf(facts.plan, 'address')
      .filter(({ verb }) => verb === 'add')
      .map((change) => findingOf(change, facts)),
});

function findingOf({ entry, operation }: Change<'address'>, { plan, actual }: FactsOf<typeof needs>): Finding<Values> {
  const { device, address } = entry;
  const others = actual.addresses.filter((other) => other.device === device).map((other) => other.address);
  const left = flushesOthers(address, others) ? entriesLeft(plan, device, FLUSHED) : {};
  const lost = FLUSHED.filter((kind) => left[kind] === 0);
  const operations = [operation, ...additionsOn(plan, device, lost)];
  return {
    values: { device, address, others, left },
    about: ['node'],
    evidence: [
      {
        what: `addresses of ${device}`,
        observed: others.length === 0 ? 'none' : others.join(', '),
        expected: address,
        source: `ip addr show dev ${device}`,
      },
    ],
    remedy: carry(operations, { automatic: 'yes', risk: NO_RISK }),
  };
}

/** With its last IPv4 address a device loses its routes and neighbours; an IPv6 address takes nothing along (measured, 6.18). */
function flushesOthers(address: string, others: readonly string[]): boolean {
  return !address.includes(':') && others.every((other) => other.includes(':'));
}

/** Whether it is about a subnet that this device uses. */
function isHeldOn(values: unknown, device: string): boolean {
  return typeof values === 'object' && values !== null && 'usedBy' in values && values.usedBy === device;
}

function insteadEn(others: readonly string[]): string {
  return others.length === 0 ? '' : ` (it has ${others.join(', ')})`;
}

function insteadZh(others: readonly string[]): string {
  return others.length === 0 ? '' : `（现有 ${others.join('、')}）`;
}
