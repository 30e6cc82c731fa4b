import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { DATASTORE_CAUSES } from '../../doctor/datastore-causes.ts';
import { desiredOverlayFact } from '../../facts/overlay.ts';
import { underlayEchoFact } from '../../facts/probes.ts';
import { type GonePeer, silentPeersFact } from '../../facts/silent-peers.ts';

interface Values {
  readonly subnet: string;
  readonly publicIp: string;
  readonly proof: GonePeer['proof'];
}

export default defineCheck({
  id: 'underlay-unreachable',
  group: 'path',
  severity: 'error',
  repair: 'no',
  needs: { silent: silentPeersFact, underlay: underlayEchoFact, desired: desiredOverlayFact },
  causedBy: [
    ...DATASTORE_CAUSES,
    {
      id: 'lease-stale-dead-node',
      because: ({ about }, own) =>
        own.about.some((peer) => about.includes(peer))
          ? {
              en: 'the host did not renew its lease either: it is gone',
              zh: '该主机也没有续租：它已经不在',
            }
          : undefined,
    },
  ],
  say: {
    en: {
      title: "every peer's host is there",
      summary: (all: NonEmpty<Values>) => `${nameEn(all.map(summaryEn))}`,
      remedy: (all) =>
        all.some(({ proof }) => proof === 'no-route')
          ? 'Give this host a route to the public IP of each of these peers.'
          : 'Find out whether these hosts run, and what lies between them and this one.',
    },
    zh: {
      title: '每个对端节点的主机都在',
      summary: (all) => nameZh(all.map(summaryZh)),
      remedy: (all) =>
        all.some(({ proof }) => proof === 'no-route')
          ? '为本机添加到这些对端节点公网地址的路由。'
          : '查明这些主机是否在运行，以及它们与本机之间有什么。',
    },
  },
  proof: 'drill',
  evaluate: ({ silent, underlay, desired }): readonly Finding<Values>[] =>
    desired.peers.flatMap(({ subnet, publicIp }) => {
      const gone = silent[subnet];
      if (gone === undefined) return [];
      const { sent, received } = underlay[subnet]?.echo ?? { sent: 0, received: 0 };
      return [
        {
          values: { subnet, publicIp, proof: gone.proof },
          about: [`subnet:${subnet}`],
          evidence: [
            { what: `echo from ${publicIp}`, observed: `${received} of ${sent}`, source: `ping -c 3 ${publicIp}` },
            { what: PROOFS[gone.proof], observed: gone.observed, source: gone.source },
          ],
          remedy: {
            commands: [`ip route get ${publicIp}`],
            actions: [],
            automatic: 'no',
            risk: { en: 'none', zh: '无' },
          },
        },
      ];
    }),
});

const PROOFS = {
  'no-route': 'route to it',
  refused: 'what a router says',
  'no-neighbour': 'neighbour entry on the way',
} as const;

function summaryEn({ subnet, publicIp, proof }: Values): string {
  return proof === 'no-route'
    ? `this host has no route to ${publicIp}, the peer of ${subnet}`
    : `${publicIp}, the peer of ${subnet}, does not answer at all`;
}

function summaryZh({ subnet, publicIp, proof }: Values): string {
  return proof === 'no-route'
    ? `本机没有到 ${publicIp}（${subnet} 的对端节点）的路由`
    : `${publicIp}（${subnet} 的对端节点）完全没有应答`;
}
