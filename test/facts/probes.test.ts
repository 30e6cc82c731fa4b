import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActualOverlay, DesiredOverlay, OverlayPeer, RouteEntry } from '../../src/dataplane/entry.ts';
import type { Underlay } from '../../src/facts/overlay.ts';
import {
  oneWayEchoFact,
  overlayEchoFact,
  probedPeers,
  udpProbeFact,
  underlayEchoFact,
} from '../../src/facts/probes.ts';
import { silentPeersFact } from '../../src/facts/silent-peers.ts';
import type { Sysctls } from '../../src/facts/sysctls.ts';
import type { ExecResult, Host } from '../../src/host/host.ts';
import { NOTHING } from '../dataplane/builders.ts';
import { macOf, type OverlayPair, overlayPair } from '../support/overlay-pair.ts';
import { contextWith, peerOf } from '../support/probe-builders.ts';

const UNDERLAY: Underlay = {
  device: 'e0',
  mtuBytes: 1500,
  ipv4: '192.168.77.1',
  ipv6: null,
  publicIp: '192.168.77.1',
  publicIpv6: null,
  because: 'test',
};
const PORT_OF_KERNEL = {
  type: 'vxlan',
  vni: 1,
  port: null,
  outerMtuBytes: null,
  gbp: false,
  learning: false,
  directRouting: false,
};

function desired(peers: readonly OverlayPeer[]): DesiredOverlay {
  return { entries: [], devices: ['flannel.1'], networks: ['10.244.0.0/16'], peers, ignored: [] };
}

interface Scene {
  /** What the kernel holds; default: as it is read from the host. */
  readonly actual?: ActualOverlay;
  readonly peers: readonly OverlayPeer[];
  readonly sysctls?: Sysctls;
  readonly peerLimit?: number;
}

function scene(host: Host, { peers, sysctls = {}, peerLimit, actual }: Scene) {
  const values = { 'desired-overlay': desired(peers), underlay: UNDERLAY, sysctls, 'vxlan-config': PORT_OF_KERNEL };
  return contextWith(host, actual === undefined ? values : { ...values, 'actual-overlay': actual }, peerLimit ?? null);
}

describe('the peers that are asked', () => {
  const peers = Array.from({ length: 10 }, (_, index) => peerOf(index + 2));
  const chosen = async (peerLimit: number) => {
    const context = scene(silentHost(), { peers, peerLimit });
    return (await probedPeers(context)).map(({ subnet }) => Number(subnet.split('.')[2]) - 2);
  };

  it('are all of them without a limit', async () => {
    expect(await probedPeers(scene(silentHost(), { peers }))).toEqual(peers);
  });

  it('are spread over the list under a limit, and as many as it says', async () => {
    expect(await chosen(5)).toEqual([1, 3, 5, 7, 9]);
    expect(await chosen(3)).toEqual([3, 6, 9]);
    expect(await chosen(10)).toHaveLength(10);
    expect(await chosen(99)).toHaveLength(10);
  });
});

describe('many peers', () => {
  it('are asked by at most 64 processes at a time', async () => {
    const host = silentHost();
    const peers = Array.from({ length: 200 }, (_, index) => peerOf(index + 2));
    await overlayEchoFact.collect(scene(host, { peers, actual: NOTHING }));
    expect(host.most()).toBe(64);
  });

  it('are not asked over the overlay where their route leads out in the clear', async () => {
    const host = silentHost();
    const stray: RouteEntry = {
      kind: 'route',
      dst: peerOf(2).subnet,
      via: null,
      device: 'eth0',
      isOnlink: false,
      metric: 0,
    };
    const context = scene(host, { peers: [peerOf(2)], actual: { ...NOTHING, routes: [stray] } });
    const answers = await overlayEchoFact.collect(context);
    expect(answers[peerOf(2).subnet]).toMatchObject({
      answered: false,
      echo: { sent: 0, localError: 'its route leads to eth0' },
    });
    expect(host.most()).toBe(0);
  });
});

describe('probe facts over a real overlay', () => {
  let pair: OverlayPair;
  beforeEach(() => {
    pair = overlayPair();
  });
  afterEach(() => pair.down());

  const { subnet } = peerOf(2);
  const observe = (sysctls: Sysctls = {}) => scene(pair.host, { peers: [pair.peer], sysctls });

  it('ask a peer no further that answers over the overlay', async () => {
    const context = observe();
    expect((await context.get(overlayEchoFact))[subnet]?.answered).toBe(true);
    expect(await context.get(oneWayEchoFact)).toEqual({});
    expect(await context.get(udpProbeFact)).toEqual({});
    expect(await context.get(silentPeersFact)).toEqual({});
  });

  it('show that only the way back is dead', async () => {
    pair.run(2, `bridge fdb del ${macOf(1)} dev flannel.1 dst 192.168.77.1`);
    const context = observe();
    expect((await context.get(oneWayEchoFact))[subnet]?.received).toBe(3);
    expect(await context.get(udpProbeFact)).toEqual({ [subnet]: 'silent' });
  });

  it('show that the peer has no vxlan socket', async () => {
    pair.run(2, 'ip link del flannel.1');
    expect(await observe().get(udpProbeFact)).toEqual({ [subnet]: 'refused' });
  });

  it('claim nothing one way where rp_filter would drop the answer', async () => {
    pair.run(2, `bridge fdb del ${macOf(1)} dev flannel.1 dst 192.168.77.1`);
    const outcome = (await observe({ 'net.ipv4.conf.all.rp_filter': '1' }).get(oneWayEchoFact))[subnet];
    expect(outcome).toMatchObject({ sent: 0, localError: 'rp_filter is strict on e0 and would drop the answer' });
  });

  it('claim nothing one way where kube-proxy would rewrite the source', async () => {
    pair.run(2, `bridge fdb del ${macOf(1)} dev flannel.1 dst 192.168.77.1`);
    pair.run(1, 'iptables -t nat -N KUBE-POSTROUTING');
    expect((await observe().get(oneWayEchoFact))[subnet]?.localError).toContain('kube-proxy');
  });

  it('prove a silent peer gone when it answers no ARP', async () => {
    pair.run(2, 'ip link set e0 down');
    expect(await observe().get(silentPeersFact)).toEqual({
      [subnet]: {
        proof: 'no-neighbour',
        observed: '192.168.77.2 on e0: INCOMPLETE',
        source: 'ip -s neigh show to 192.168.77.2 dev e0',
      },
    });
  });

  it('prove a silent peer gone whose neighbour entry had only gone out of date', async () => {
    const mac = pair.run(2, 'cat /sys/class/net/e0/address').trim();
    pair.run(2, 'nft add table netdev t');
    pair.run(2, 'nft add chain netdev t in { type filter hook ingress device e0 priority 0 ; policy drop ; }');
    pair.run(1, `ip neigh replace 192.168.77.2 lladdr ${mac} dev e0 nud stale`);
    expect((await observe().get(silentPeersFact))[subnet]?.proof).toBe('no-neighbour');
  });

  it('prove a peer gone that this host has no route to', async () => {
    pair.run(1, 'ip route del 192.168.77.0/24 dev e0');
    expect((await observe().get(silentPeersFact))[subnet]).toMatchObject({
      proof: 'no-route',
      observed: 'Network is unreachable',
    });
  });

  it('do not call a silent peer gone that answers ARP', async () => {
    pair.run(2, 'nft add table t');
    pair.run(2, 'nft add chain t in { type filter hook input priority 0 ; policy drop ; }');
    await expect(observe().get(silentPeersFact)).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('do not count a peer as silent that drops ICMP and TCP but answers over the overlay', async () => {
    pair.run(2, 'iptables -I INPUT -i e0 ! -p udp -j DROP');
    const context = observe();
    expect((await context.get(underlayEchoFact))[subnet]?.answered).toBe(false);
    expect(await context.get(silentPeersFact)).toEqual({});
  });

  it('are done within two seconds for three silent peers', async () => {
    const peers = [peerOf(7), peerOf(8), peerOf(9)];
    pair.run(1, 'iptables -I OUTPUT -d 10.244.0.0/16 -j DROP');
    pair.run(1, 'ip route add 10.244.0.0/16 dev flannel.1');
    const connect: Host['connect'] = async ({ timeoutMs }) => {
      await new Promise((resolve) => setTimeout(resolve, timeoutMs));
      return 'silent';
    };
    const before = performance.now();
    await scene({ ...pair.host, connect }, { peers }).get(underlayEchoFact);
    expect(performance.now() - before).toBeLessThan(2500);
  });
});

interface SilentHost extends Host {
  /** How many processes ran at the same time at most. */
  most(): number;
}

function silentHost(): SilentHost {
  let running = 0;
  let most = 0;
  const stdout = '3 packets transmitted, 0 received, 100% packet loss, time 404ms\n';
  const exec = async (): Promise<ExecResult> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return { exitCode: 1, stdout, stderr: '' };
  };
  const refuse = () => Promise.reject(new Error('not asked for'));
  return {
    exec,
    connect: async () => 'silent',
    udp: async () => 'silent',
    exchange: refuse,
    identity: refuse,
    readFile: refuse,
    readDir: refuse,
    readLink: refuse,
    stat: refuse,
    most: () => most,
  };
}
