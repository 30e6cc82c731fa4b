import {
  changeLink,
  type EntriesLeft,
  type EntryKind,
  entriesLeft,
  isIpv6Link,
  type LinkState,
  linkStates,
} from '../../dataplane/drift.ts';
import { carry } from '../../dataplane/drift-remedy.ts';
import type { LinkEntry } from '../../dataplane/entry.ts';
import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Evidence, type FactsOf, type Finding } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { ownLeaseFact } from '../../facts/datastore.ts';
import { type InterfaceInfo, interfacesFact } from '../../facts/interfaces.ts';
import { actualOverlayFact, overlayPlanFact, underlayFact } from '../../facts/overlay.ts';
import { subnetEnvFact } from '../../facts/subnet-env.ts';

interface TunnelMtu {
  readonly side: 'tunnel';
  readonly device: string;
  readonly mtuBytes: number;
  readonly expectedBytes: number;
  readonly left: EntriesLeft;
}

/** cni0 and its ports, which may not send more than the tunnel carries. */
interface PodMtu {
  readonly side: 'pods';
  readonly devices: readonly Device[];
  readonly expectedBytes: number;
  /** FLANNEL_MTU; `null`: not known. */
  readonly envBytes: number | null;
}

interface Device {
  readonly name: string;
  readonly mtuBytes: number;
}

type Values = TunnelMtu | PodMtu;

const needs = {
  plan: overlayPlanFact,
  actual: actualOverlayFact,
  lease: ownLeaseFact,
  underlay: underlayFact,
  interfaces: interfacesFact,
  subnetEnv: { optional: subnetEnvFact },
};

/** RFC 8200 §5; below it the kernel takes IPv6 off the device. */
const IPV6_MINIMUM_BYTES = 1280;

export default defineCheck<typeof needs, Values>({
  id: 'mtu-mismatch',
  group: 'link',
  severity: 'error',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'subnet-env-stale',
      because: (_, { values }) =>
        values.side === 'pods' && values.devices.every(({ mtuBytes }) => mtuBytes === values.envBytes)
          ? {
              en: `the CNI plugin takes the mtu from FLANNEL_MTU=${values.envBytes}`,
              zh: `CNI 插件按 FLANNEL_MTU=${values.envBytes} 设置 MTU`,
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: "the mtu of flannel's device and of the pods fits the underlay",
      summary: (all) => all.map(summaryEn).join('; '),
      remedy: (all) => all.map(remedyEn).join(' '),
    },
    zh: {
      title: 'flannel 设备和 Pod 的 MTU 与底层网络相符',
      summary: (all) => all.map(summaryZh).join('；'),
      remedy: (all) => all.map(remedyZh).join(''),
    },
  },
  logs: [/TLS handshake timeout/],
  repair: 'ask',
  proof: 'drill',
  evaluate: (facts) => {
    const states = linkStates(facts.plan, facts.actual);
    return [
      ...states.flatMap((state) => tunnelFinding(state, facts)),
      ...states.slice(0, 1).flatMap(({ desired }) => podFinding(desired.mtuBytes, facts)),
    ];
  },
});

function tunnelFinding(
  { desired, actual: link }: LinkState,
  { plan, underlay }: FactsOf<typeof needs>,
): readonly Finding<Values>[] {
  const expectedBytes = desired.mtuBytes;
  if (link === undefined || link.mtuBytes === expectedBytes) return [];
  const { device, mtuBytes } = link;
  return [
    {
      values: {
        side: 'tunnel',
        device,
        mtuBytes,
        expectedBytes,
        left: entriesLeft(plan, device, flushedBelowMinimum(link)),
      },
      about: ['node'],
      evidence: [
        { what: `mtu of ${device}`, observed: mtuBytes, expected: expectedBytes, source: `ip link show ${device}` },
        {
          what: `mtu of ${underlay.device}, the underlay`,
          observed: underlay.mtuBytes,
          source: `ip link show ${underlay.device}`,
        },
      ],
      remedy: carry([changeLink(link, { mtuBytes: expectedBytes })], {
        automatic: expectedBytes < mtuBytes ? 'yes' : 'ask',
        risk: TUNNEL_RISK,
      }),
    },
  ];
}

function flushedBelowMinimum(link: LinkEntry): readonly EntryKind[] {
  return isIpv6Link(link) && link.mtuBytes < IPV6_MINIMUM_BYTES ? ['address', 'neighbour', 'route'] : [];
}

function podFinding(
  expectedBytes: number,
  { interfaces, subnetEnv }: FactsOf<typeof needs>,
): readonly Finding<Values>[] {
  const [first, ...rest] = interfaces
    .filter((one) => isOfPods(one) && one.mtuBytes > expectedBytes)
    .map(({ name, mtuBytes }) => ({ name, mtuBytes }));
  if (first === undefined) return [];
  const devices = [first, ...rest];
  const evidenceOf = ({ name, mtuBytes }: Device): Evidence => ({
    what: `mtu of ${name}`,
    observed: mtuBytes,
    expected: `at most ${expectedBytes}`,
    source: `ip link show ${name}`,
  });
  return [
    {
      values: {
        side: 'pods',
        devices,
        expectedBytes,
        envBytes: subnetEnv.status === 'known' ? subnetEnv.value.mtuBytes : null,
      },
      about: ['node'],
      evidence: [evidenceOf(first), ...rest.map(evidenceOf)],
      remedy: {
        commands: devices.map(({ name }) => `ip link set dev ${name} mtu ${expectedBytes}`),
        actions: [],
        automatic: 'no',
        risk: POD_RISK,
      },
    },
  ];
}

/** The CNI plugin's default bridge, and the host ends of the pods' veth pairs on it. */
function isOfPods({ name, master }: InterfaceInfo): boolean {
  return name === 'cni0' || master === 'cni0';
}

function summaryEn(values: Values): string {
  if (values.side === 'tunnel') return `${values.device} has mtu ${values.mtuBytes}, not ${values.expectedBytes}`;
  return `the overlay carries ${values.expectedBytes} bytes, but ${nameEn(values.devices.map(({ name, mtuBytes }) => `${name} has mtu ${mtuBytes}`))}`;
}

function summaryZh(values: Values): string {
  if (values.side === 'tunnel') return `${values.device} 的 MTU 是 ${values.mtuBytes}，应为 ${values.expectedBytes}`;
  return `覆盖网络只能承载 ${values.expectedBytes} 字节，但 ${nameZh(values.devices.map(({ name, mtuBytes }) => `${name} 的 MTU 是 ${mtuBytes}`))}`;
}

function remedyEn(values: Values): string {
  if (values.side === 'tunnel') return `Set the mtu of ${values.device} to ${values.expectedBytes}.`;
  return `Lower the mtu of cni0 and its ports to ${values.expectedBytes} and recreate the pods, whose own end keeps its mtu.`;
}

function remedyZh(values: Values): string {
  if (values.side === 'tunnel') return `将 ${values.device} 的 MTU 设为 ${values.expectedBytes}。`;
  return `将 cni0 及其端口的 MTU 降为 ${values.expectedBytes}，并重建 Pod（Pod 一端的 MTU 不会随之改变）。`;
}

const TUNNEL_RISK = {
  en: 'a larger mtu than the path carries makes large packets disappear; a lower one harms nothing',
  zh: 'MTU 大于路径所能承载时大包会丢失；调低则没有害处',
};

const POD_RISK = {
  en: 'pods are restarted',
  zh: 'Pod 会被重启',
};
