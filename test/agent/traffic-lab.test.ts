import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seenBy, serve } from '../support/seen-by.ts';
import { type Agent, eventually, type Lab, type LabNode, makeLab, subnetOf } from './lab.ts';
import { makePod, type Pod } from './pod.ts';

const MASQ = '-m comment --comment flanneld_masq';
const FORWARD = '-m comment --comment flanneld_forward';

/** What kube-proxy and kubelet, Docker, and an older flannel leave on a host; `_` in a comment is a blank. */
const OF_OTHERS = [
  '-t nat -N KUBE-POSTROUTING',
  '-t nat -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
  '-t nat -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000',
  '-t nat -A KUBE-POSTROUTING -j MASQUERADE --random-fully',
  '-t nat -A POSTROUTING -j KUBE-POSTROUTING',
  '-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE',
  '-N KUBE-FORWARD',
  '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
  '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT',
  '-A FORWARD -j KUBE-FORWARD',
  '-N DOCKER-USER',
  '-A DOCKER-USER -j RETURN',
  '-A FORWARD -j DOCKER-USER',
  '-A FORWARD -i docker0 -o docker0 -j ACCEPT',
  '-P FORWARD DROP',
];
const LEFTOVERS = [
  `-t nat -A POSTROUTING -s 10.244.0.0/16 -d 10.244.0.0/16 ${MASQ} -j RETURN`,
  `-t nat -A POSTROUTING -s 10.244.0.0/16 ! -d 224.0.0.0/4 ${MASQ} -j MASQUERADE`,
  `-t nat -A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 ${MASQ} -j MASQUERADE`,
  `-A FORWARD -s 10.244.0.0/16 ${FORWARD} -j ACCEPT`,
  '-t nat -N FLANNEL-POSTRTG',
  `-t nat -A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/16 ${MASQ} -j RETURN`,
  `-t nat -I POSTROUTING ${MASQ} -j FLANNEL-POSTRTG`,
];

describe.each([
  { mode: 'iptables over nftables', program: 'iptables-nft', nftables: false },
  { mode: 'iptables-legacy', program: 'iptables-legacy', nftables: false },
  { mode: 'nftables', program: 'iptables-nft', nftables: true },
])('traffic in the mode of $mode', ({ program, nftables }) => {
  let lab: Lab;
  let node: LabNode;
  let agent: Agent;
  const pods: Pod[] = [];
  const servers: ChildProcess[] = [];
  let othersBefore: readonly string[];

  /** Every rule and chain but flannel's, in order, without counters. */
  const others = async () =>
    (await node.lines(`${program}-save`))
      .filter((line) => !/flannel|^#/i.test(line))
      .map((line) => line.replace(/ \[\d+:\d+\]/, ''));
  const write = async (rule: string) => {
    const words = rule.split(' ').map((word) => (word.startsWith('flanneld_') ? word.replace('_', ' ') : word));
    const { exitCode, stderr } = await node.namespace.host.exec([program, ...words] as const);
    if (exitCode !== 0) throw new Error(`${rule}: ${stderr}`);
  };

  beforeAll(async () => {
    const config = { Network: '10.244.0.0/16', EnableNFTables: nftables, Backend: { Type: 'vxlan' } };
    lab = await makeLab(2, { config });
    const [first, second] = lab.nodes;
    if (first === undefined || second === undefined) throw new Error('there are no nodes');
    node = first;
    for (const rule of [...OF_OTHERS, ...LEFTOVERS]) await write(rule);
    // In a table of its own flannel's accept does not overrule the policy of another.
    if (nftables) await write('-P FORWARD ACCEPT');
    othersBefore = await others();
    agent = await node.up({ flags: ['--ip-masq', '--iptables-resync=1'] });
    await second.up({ flags: ['--ip-masq'] });
    pods.push(await makePod(node), await makePod(second));
    servers.push(await serve(lab.hub));
    for (const { namespace } of pods) servers.push(await serve(namespace));
    const peer = await subnetOf(second);
    await eventually(async () => expect((await node.lines('ip route')).join()).toContain(peer), 5000);
  }, 90_000);
  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    for (const { namespace } of pods) await namespace.remove();
    await lab.remove();
  });

  const pod = (index: number) => {
    const found = pods[index];
    if (found === undefined) throw new Error(`there is no pod ${index}`);
    return found;
  };

  it('leaves the network with the address of the node', { timeout: 60_000 }, async () => {
    await eventually(async () => expect(await seenBy('192.168.9.254', pod(0).namespace)).toBe('192.168.9.1'), 30_000);
  });

  it('keeps its address between pods, both ways', { timeout: 60_000 }, async () => {
    await eventually(
      async () => expect(await seenBy(pod(1).address(4), pod(0).namespace)).toBe(pod(0).address(4)),
      30_000,
    );
    expect(await seenBy(pod(0).address(4), pod(1).namespace)).toBe(pod(1).address(4));
  });

  it('leaves the rules of others as they are and where they are', async () => {
    expect(await others()).toEqual(othersBefore);
  });

  it('has nothing left of an older flannel', async () => {
    const lines = (await node.lines(`${program}-save`)).filter((line) => /flannel/i.test(line));
    if (nftables) expect(lines).toEqual([]);
    else {
      expect(lines.filter((line) => line.startsWith('-A POSTROUTING') || line.startsWith('-A FORWARD'))).toHaveLength(
        2,
      );
      expect(lines.filter((line) => line.startsWith('-A FLANNEL-POSTRTG'))).toHaveLength(6);
    }
  });

  it('goes on after somebody flushed everything', { timeout: 60_000 }, async () => {
    await node.namespace.run(nftables ? 'nft flush ruleset' : `${program} -t nat -F`);
    await eventually(async () => expect(await seenBy('192.168.9.254', pod(0).namespace)).toBe('192.168.9.1'), 30_000);
  });

  it('loses no rule when the agent ends, and every one with down', { timeout: 60_000 }, async () => {
    const before = await node.lines('nft list ruleset');
    agent.signal('SIGTERM');
    await agent.ended;
    expect((await node.lines('nft list ruleset')).length).toBe(before.length);
    expect((await node.cli('down')).exitCode).toBe(0);
    const left = [...(await node.lines('nft list ruleset')), ...(await node.lines('iptables-legacy-save'))];
    expect(left.filter((line) => /flannel/i.test(line))).toEqual([]);
  });
});
