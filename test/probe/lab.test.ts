import pLimit from 'p-limit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ECHO_TRIES, probeAnswer } from '../../src/probe/answer.ts';
import { echo } from '../../src/probe/echo.ts';
import { rewritesMarked } from '../../src/probe/masquerade.ts';
import { oneWayEcho, oneWayRequest } from '../../src/probe/one-way.ts';
import { probeTunnelPort } from '../../src/probe/udp.ts';
import { macOf, type OverlayPair, overlayPair } from '../support/overlay-pair.ts';

/** What flanneld --ip-masq writes on node 1, as far as it meets packets from the node into the overlay. */
const FLANNEL_MASQUERADE = [
  'iptables -t nat -N FLANNEL-POSTRTG',
  'iptables -t nat -A POSTROUTING -j FLANNEL-POSTRTG',
  'iptables -t nat -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN',
  'iptables -t nat -A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -j RETURN',
  'iptables -t nat -A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully',
];

describe('probes over a real overlay', () => {
  let pair: OverlayPair;
  beforeEach(() => {
    pair = overlayPair();
  });
  afterEach(() => pair.down());

  const ask = (address: string) => echo(pair.host, { address, ...ECHO_TRIES });
  const answerOf = (address: string) => probeAnswer(pair.host, address, pLimit(4));
  const oneWay = () => oneWayEcho(pair.host, oneWayRequest('10.244.2.0', '192.168.77.1'));
  const breakWayBack = () => pair.run(2, `bridge fdb del ${macOf(1)} dev flannel.1 dst 192.168.77.1`);
  const breakWayThere = () => pair.run(2, 'iptables -I INPUT -p udp --dport 8472 -j DROP');

  it('counts the echoes that come back through the tunnel', async () => {
    expect(await ask('10.244.2.0')).toMatchObject({ sent: 3, received: 3, localError: null });
  });

  it('tells silence from a local refusal', async () => {
    breakWayThere();
    expect(await ask('10.244.2.0')).toEqual({ sent: 3, received: 0, rttMs: null, localError: null });
    expect(await ask('203.0.113.9')).toEqual({
      sent: 0,
      received: 0,
      rttMs: null,
      localError: 'Network is unreachable',
    });
  });

  it('takes a route that prohibits for a local refusal', async () => {
    pair.run(1, 'ip route add prohibit 203.0.113.9');
    expect((await ask('203.0.113.9')).localError).toBe('Permission denied');
  });

  it('takes the TCP refusal of a peer that drops ICMP for an answer', async () => {
    pair.run(2, 'iptables -I INPUT -p icmp -j DROP');
    expect(await answerOf('10.244.2.0')).toMatchObject({ echo: { received: 0 }, tcp: 'refused', answered: true });
  });

  it('takes an ICMP error that the peer itself sends for an answer', async () => {
    pair.run(2, 'iptables -I INPUT -p icmp -j REJECT --reject-with icmp-admin-prohibited');
    const answer = await answerOf('192.168.77.2');
    expect(answer).toMatchObject({ tcp: null, answered: true });
    expect(answer.echo.refusal).toEqual({ from: '192.168.77.2', text: 'Packet filtered' });
  });

  it('has no answer where ICMP and TCP are dropped', async () => {
    pair.run(2, 'iptables -I INPUT ! -p udp -j DROP');
    expect(await answerOf('192.168.77.2')).toMatchObject({ tcp: 'silent', answered: false });
  });

  it('asks no peer by TCP that has answered an echo', async () => {
    expect(await answerOf('192.168.77.2')).toMatchObject({ tcp: null, answered: true });
  });

  it('gets an answer one way where only the way back is dead', async () => {
    breakWayBack();
    expect((await ask('10.244.2.0')).received).toBe(0);
    expect((await oneWay()).received).toBe(3);
  });

  it('keeps its source one way in spite of flannel masquerading', async () => {
    breakWayBack();
    for (const line of FLANNEL_MASQUERADE) pair.run(1, line);
    expect((await oneWay()).received).toBe(3);
  });

  it('has no answer one way where the way there is dead', async () => {
    breakWayThere();
    expect(await oneWay()).toMatchObject({ sent: 3, received: 0, localError: null });
  });

  it('loses the answer one way to a strict rp_filter here', async () => {
    pair.run(1, 'sysctl -qw net.ipv4.conf.e0.rp_filter=1');
    expect((await oneWay()).received).toBe(0);
  });

  it('knows the rules of kube-proxy that rewrite a marked packet', async () => {
    expect(await rewritesMarked(pair.host, 4)).toBe(false);
    pair.run(1, 'iptables -t nat -N KUBE-POSTROUTING');
    expect(await rewritesMarked(pair.host, 4)).toBe(true);
    expect(await rewritesMarked(pair.host, 6)).toBe(false);
  });

  it('is refused by UDP where no vxlan socket is open, and hears nothing where one is', async () => {
    expect(await probeTunnelPort(pair.host, '192.168.77.2', 8472)).toBe('silent');
    expect(await probeTunnelPort(pair.host, '192.168.77.2', 8473)).toBe('refused');
    pair.run(2, 'ip link set flannel.1 down');
    expect(await probeTunnelPort(pair.host, '192.168.77.2', 8472)).toBe('refused');
  });

  it('leaves no packet on the vxlan device of the peer it asked by UDP', async () => {
    const packets = () => pair.run(2, 'cat /sys/class/net/flannel.1/statistics/rx_packets').trim();
    const before = packets();
    await probeTunnelPort(pair.host, '192.168.77.2', 8472);
    expect(packets()).toBe(before);
  });
});
