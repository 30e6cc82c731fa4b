import { aboutOf, allGone, type Change, changesOf } from '../../dataplane/drift.ts';
import { carry, describeRoute, NO_RISK } from '../../dataplane/drift-remedy.ts';
import { countOf, nameEn, nameZh, peersHave } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty, type Remedy } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { overlayPlanFact } from '../../facts/overlay.ts';

interface Values {
  /** `absent`; `wrong`: a route of ours that leads elsewhere; `taken`: somebody else's route that the kernel prefers. */
  readonly problem: 'absent' | 'wrong' | 'taken';
  /** Output device; `null`: whatever the kernel finds. */
  readonly device: string | null;
  readonly subnet: string;
  readonly expected: string;
  readonly observed: string;
}

const needs = { plan: overlayPlanFact };
const PROBLEMS = { add: 'absent', replace: 'wrong', foreign: 'taken' } as const;

export default defineCheck<typeof needs, Values>({
  id: 'route-missing',
  group: 'peers',
  severity: 'error',
  needs,
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'flannel-link-missing',
      because: allGone('route', (device) => ({
        en: `${device} does not exist, and its routes went with it`,
        zh: `${device} 不存在，其上的路由也随之消失`,
      })),
    },
    {
      id: 'flannel-link-incompatible',
      because: allGone('route', (device) => ({
        en: `${device} was made anew by somebody else, without routes`,
        zh: `${device} 被别的程序重新创建，上面没有路由`,
      })),
    },
    {
      id: 'flannel-link-down',
      because: allGone('route', (device) => ({
        en: `${device} is down, and the kernel flushed its routes`,
        zh: `${device} 处于 DOWN 状态，内核清空了其路由`,
      })),
    },
    {
      id: 'flannel-link-no-address',
      because: allGone('route', (device) => ({
        en: `${device} lost its address, and the kernel flushed its routes`,
        zh: `${device} 失去了地址，内核清空了其路由`,
      })),
    },
    {
      id: 'mtu-mismatch',
      because: allGone('route', (device) => ({
        en: `the mtu of ${device} is below 1280, where the kernel flushes IPv6 routes`,
        zh: `${device} 的 MTU 低于 1280，内核清空了其 IPv6 路由`,
      })),
    },
  ],
  say: {
    en: { title: 'every peer has its route', summary: summaryEn, remedy: remedyEn },
    zh: { title: '每个对端节点都有对应的路由', summary: summaryZh, remedy: remedyZh },
  },
  logs: [/Error adding route to/, /failed to add vxlanRoute/],
  repair: 'yes',
  proof: 'drill',
  evaluate: ({ plan }) => changesOf(plan, 'route').flatMap(findingsOf),
});

function findingsOf(change: Change<'route'>): readonly Finding<Values>[] {
  const { verb, entry, before, operation } = change;
  if (verb === 'keep' || verb === 'delete') return [];
  const observed = before === undefined ? 'none' : describeRoute(before);
  const values = {
    problem: PROBLEMS[verb],
    device: entry.device,
    subnet: entry.dst,
    expected: describeRoute(entry),
    observed,
  };
  return [
    {
      values,
      about: aboutOf(operation),
      evidence: [
        { what: `route to ${entry.dst}`, observed, expected: values.expected, source: `ip route show ${entry.dst}` },
      ],
      remedy: remedyOf(change),
    },
  ];
}

/** A route of somebody else is told, never overwritten. */
function remedyOf({ verb, entry, operation }: Change<'route'>): Remedy {
  if (verb !== 'foreign') return carry([operation], { automatic: 'yes', risk: NO_RISK });
  return {
    commands: [`ip -d route show ${entry.dst}`],
    actions: [],
    automatic: 'no',
    risk: {
      en: 'whoever made the route may need it or make it again',
      zh: '创建该路由的程序可能需要它，或会重新创建它',
    },
  };
}

function summaryEn(all: NonEmpty<Values>): string {
  const absent = subnets(all, 'absent');
  return [
    ...(absent.length > 0 ? [`${peersHave(absent)} no route: ${nameEn(absent)}`] : []),
    ...of(all, 'wrong').map(
      ({ subnet, observed, expected }) => `the route to ${subnet} is ${observed}, not ${expected}`,
    ),
    ...of(all, 'taken').map(({ subnet, observed }) => `another route to ${subnet} is preferred: ${observed}`),
  ].join('; ');
}

function summaryZh(all: NonEmpty<Values>): string {
  const absent = subnets(all, 'absent');
  return [
    ...(absent.length > 0 ? [`${countOf(absent)} 个对端节点没有路由：${nameZh(absent)}`] : []),
    ...of(all, 'wrong').map(({ subnet, observed, expected }) => `到 ${subnet} 的路由是 ${observed}，应为 ${expected}`),
    ...of(all, 'taken').map(({ subnet, observed }) => `到 ${subnet} 有另一条优先的路由：${observed}`),
  ].join('；');
}

function remedyEn(all: NonEmpty<Values>): string {
  const taken = subnets(all, 'taken');
  const ours = all.filter(({ problem }) => problem !== 'taken').map(({ subnet }) => subnet);
  return [
    ...(ours.length > 0 ? [`Set the route to ${nameEn(ours)}.`] : []),
    ...(taken.length > 0 ? [`Find out who made the other route to ${nameEn(taken)}, and remove it there.`] : []),
  ].join(' ');
}

function remedyZh(all: NonEmpty<Values>): string {
  const taken = subnets(all, 'taken');
  const ours = all.filter(({ problem }) => problem !== 'taken').map(({ subnet }) => subnet);
  return [
    ...(ours.length > 0 ? [`写入到 ${nameZh(ours)} 的路由。`] : []),
    ...(taken.length > 0 ? [`查明是谁创建了到 ${nameZh(taken)} 的另一条路由，并从源头移除。`] : []),
  ].join('');
}

function of(all: readonly Values[], problem: Values['problem']): readonly Values[] {
  return all.filter((values) => values.problem === problem);
}

function subnets(all: readonly Values[], problem: Values['problem']): readonly string[] {
  return of(all, problem).map(({ subnet }) => subnet);
}
