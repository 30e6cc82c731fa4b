import { isFlannelDevice } from '../../dataplane/device.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type FactsOf, type Finding } from '../../doctor/check.ts';
import { networkConfigFact } from '../../facts/datastore.ts';
import { interfacesFact } from '../../facts/interfaces.ts';
import { underlayFact } from '../../facts/overlay.ts';
import { sysctlArgument, sysctlsFact } from '../../facts/sysctls.ts';

interface Values {
  readonly name: string;
  readonly value: string;
}

const needs = {
  sysctls: sysctlsFact,
  interfaces: interfacesFact,
  underlay: { optional: underlayFact },
  network: { optional: networkConfigFact },
};

export default defineCheck<typeof needs, Values>({
  id: 'ip-forward-off',
  group: 'firewall',
  severity: 'error',
  needs,
  say: {
    en: {
      title: 'the kernel forwards IPv4 between pods, tunnel and underlay',
      summary: (all) => `${nameEn(all.map(({ name, value }) => `${name} is ${value}`))}, not 1`,
      remedy: (all) => `Set ${nameEn(all.map(({ name }) => name))} to 1, and keep it there in /etc/sysctl.d.`,
    },
    zh: {
      title: '内核在 Pod、隧道与底层网络之间转发 IPv4',
      summary: (all) => `${nameZh(all.map(({ name, value }) => `${name} 为 ${value}`))}，而不是 1`,
      remedy: (all) => `将 ${nameZh(all.map(({ name }) => name))} 设为 1，并写入 /etc/sysctl.d 使其持久。`,
    },
  },
  repair: 'yes',
  proof: 'drill',
  evaluate: (facts) => (isIpv6Only(facts) ? [] : settingsOff(facts).map(findingOf)),
});

type Facts = FactsOf<typeof needs>;

function isIpv6Only({ network }: Facts): boolean {
  return network.status === 'known' && !network.value.config.enableIPv4;
}

/** Writing the global switch sets every device (ip-sysctl, ip_forward), so a device counts only where that is on. */
function settingsOff(facts: Facts): readonly Values[] {
  const global = offAmong(['net.ipv4.ip_forward'], facts);
  if (global.length > 0) return global;
  return offAmong(
    ['all', ...devicesOf(facts)].map((device) => `net.ipv4.conf.${device}.forwarding`),
    facts,
  );
}

function offAmong(names: readonly string[], { sysctls }: Facts): readonly Values[] {
  return names.flatMap((name) => {
    const value = sysctls[name];
    return value === undefined || value !== '0' ? [] : [{ name, value }];
  });
}

function devicesOf({ interfaces, underlay }: Facts): readonly string[] {
  const onUnderlay = underlay.status === 'known' ? underlay.value.device : undefined;
  return interfaces
    .map(({ name }) => name)
    .filter(
      (name) => name === 'cni0' || name === onUnderlay || (isFlannelDevice(name) && !name.startsWith('flannel-v6.')),
    );
}

function findingOf({ name, value }: Values): Finding<Values> {
  const argument = sysctlArgument(name);
  return {
    values: { name, value },
    about: ['node'],
    evidence: [{ what: name, observed: value, expected: '1', source: `sysctl ${argument}` }],
    remedy: {
      commands: [`sysctl -w ${argument}=1`, `echo '${argument} = 1' >> /etc/sysctl.d/90-flannel-forward.conf`],
      actions: [{ kind: 'sysctl', name, value: '1', before: value }],
      automatic: 'yes',
      risk: RISK,
    },
  };
}

const RISK = {
  en: 'the host becomes a router between its interfaces, which every node of an overlay is',
  zh: '主机将成为各网络接口之间的路由器，覆盖网络的每个节点都是如此',
};
