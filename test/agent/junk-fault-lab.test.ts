import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allUp, CONFIG, type FaultLab, HEALTH, keyOf, leaseValue, makeFaultLab, PREFIX, whole } from './fault-lab.ts';
import { type Agent, eventually, overlayOf, subnetOf } from './lab.ts';
import { startTraffic, type Traffic } from './pings.ts';
import { ownersOf, plantForeign, type Scene, sceneOf } from './scene.ts';

let lab: FaultLab;
let agents: readonly [Agent, Agent, Agent];
let before: Scene;
let traffic: Traffic;
beforeEach(async () => {
  lab = await makeFaultLab();
  await plantForeign(lab);
  agents = await allUp(lab);
  before = await sceneOf(lab);
  traffic = await startTraffic(lab);
}, 180_000);
afterEach(() => lab.remove());

const SUBNETS = `${PREFIX}/subnets`;
const PWNED = '/tmp/fctl-pwned';
const MAC = '02:00:00:00:01:50';

/** What nothing may be made of, by its key. */
const JUNK: readonly (readonly [string, string | Buffer])[] = [
  ['junk', 'junk'],
  ['10.244.300.0-24', leaseValue('192.168.9.150', MAC)],
  ['10.244.150.0-99', leaseValue('192.168.9.150', MAC)],
  ['10.244.150.0', leaseValue('192.168.9.150', MAC)],
  ['0.0.0.0-0', leaseValue('192.168.9.150', MAC)],
  ['192.168.9.0-24', leaseValue('192.168.9.150', MAC)],
  [`$(touch${PWNED})-24`, leaseValue('192.168.9.150', MAC)],
  ['10.244.151.0-24\nroute del default', leaseValue('192.168.9.150', MAC)],
  ['k'.repeat(6000), 'a long key'],
  ['10.244.160.0-24', ' '],
  ['10.244.161.0-24', 'null'],
  ['10.244.162.0-24', '[]'],
  ['10.244.163.0-24', '42'],
  ['10.244.164.0-24', randomBytes(4096)],
  ['10.244.165.0-24', 'x'.repeat(1_000_000)],
  ['10.244.166.0-24', '{"PublicIP":5}'],
  ['10.244.167.0-24', leaseValue('192.168.9.150; touch /tmp/fctl-pwned', MAC)],
  ['10.244.168.0-24', leaseValue('192.168.9.150', `${MAC}; touch /tmp/fctl-pwned`)],
  ['10.244.169.0-24', leaseValue('192.168.9.150', '$(touch /tmp/fctl-pwned)')],
  ['10.244.170.0-24', leaseValue('192.168.9.150', `${MAC}\nroute del default`)],
  ['10.244.171.0-24', leaseValue('192.168.9.150', '01:00:5e:00:00:01')],
  ['10.244.172.0-24', leaseValue('127.0.0.1', MAC)],
  ['10.244.173.0-24', leaseValue('192.168.9.150', MAC, { BackendType: 'udp' })],
  ['10.244.174.0-24', leaseValue('192.168.9.150', MAC, { BackendData: [1, 'two'] })],
  ['10.244.175.0-24', leaseValue('192.168.9.150', MAC, { BackendData: { VNI: 'one', VtepMAC: 7 } })],
  ['10.244.176.0-24', leaseValue('192.168.9.150', MAC, { BackendData: { VNI: 2 ** 40, VtepMAC: MAC } })],
];

/** 128 to a transaction, which is what etcd takes. */
async function thousands(total: number): Promise<void> {
  for (let start = 0; start < total; start += 128) {
    const puts = Array.from(
      { length: Math.min(128, total - start) },
      (_, index) => `put ${SUBNETS}/zz-${start + index} junk`,
    );
    await lab.transact(puts);
  }
}

/** Everything but the junk itself, of which some names an owner. */
async function unharmed(): Promise<void> {
  const { owners, ...rest } = await sceneOf(lab);
  expect({ ...rest, owners: owners.filter((line) => before.owners.includes(line)) }).toEqual(before);
}

const linesWith = (agent: Agent, text: string) =>
  agent
    .log()
    .split('\n')
    .filter((line) => line.includes(text));

describe('a datastore full of junk', { timeout: 400_000 }, () => {
  it('reaches no kernel, is told once, and does not keep an agent from starting again', async () => {
    await lab.putRaw(`${PREFIX}/config`, JSON.stringify({ ...CONFIG, Backend: { Type: 'vxlan', VNI: 77 } }));
    for (const [key, value] of JUNK) await lab.putRaw(`${SUBNETS}/${key}`, value);
    // etcdctl takes no empty value from its input
    await lab.transact([`put ${SUBNETS}/10.244.177.0-24 ""`]);
    await thousands(5000);
    for (const agent of agents)
      await eventually(async () => expect(agent.log()).toMatch(/all nodes must agree on/), 150_000);
    await lab.putRaw(`${PREFIX}/config`, '\u0001{{{');
    for (const agent of agents)
      await eventually(async () => expect(agent.log()).toMatch(/cannot be used; this node goes on/), 150_000);
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    await unharmed();
    for (const agent of agents) {
      for (const key of ['10.244.177.0-24', '10.244.165.0-24', '10.244.168.0-24', '192.168.9.0-24'])
        expect(linesWith(agent, `key=${key}`)).toHaveLength(1);
      expect(linesWith(agent, 'all nodes must agree on')).toHaveLength(1);
      const told = linesWith(agent, 'a record is not programmed').map((line) => line.replace(/^time=\S+/, ''));
      expect(told.length).toBe(new Set(told).size);
    }
    await expect(access(PWNED)).rejects.toThrow();
    await lab.putRaw(`${PREFIX}/config`, JSON.stringify(CONFIG));
    const [first] = lab.nodes;
    await eventually(
      async () =>
        expect(await first.namespace.host.readFile(first.stateFile, { maxBytes: 1 << 26 })).toContain('zz-4999'),
      60_000,
    );
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await lab.members[0]?.kill();
    await first.up({ flags: HEALTH, until: /WITHOUT A DATASTORE/ });
    await lab.members[0]?.start();
    await whole(lab, 120_000);
    await unharmed();
  });

  it('may hold our own MAC, our public IP and subnets over ours: told, and nothing of ours gives way', async () => {
    const [first] = lab.nodes;
    const subnet = await subnetOf(first);
    const mac = /VtepMAC":"([\w:]+)"/.exec(await lab.ctl(`get --print-value-only ${await keyOf(first)}`))?.[1] ?? '';
    const [overlay, key] = [await overlayOf(first), await keyOf(first)];
    const revision = /"ModRevision" : (\d+)/.exec(await lab.ctl(`get ${key} -w fields`))?.[1];
    const ours: readonly (readonly [string, string, string])[] = [
      // before every other in a listing: no node is ever given it
      ['10.244.0.0-24', leaseValue('192.168.9.152', mac), "this node's own VTEP MAC"],
      ['10.244.251.0-24', leaseValue('192.168.9.1', MAC), "this node's own public IP"],
      ['10.244.0.0-16', leaseValue('192.168.9.153', '02:00:00:00:01:53'), "overlaps this node's own"],
      [
        subnet.replace('.0/24', '.128-25'),
        leaseValue('192.168.9.154', '02:00:00:00:01:54'),
        "overlaps this node's own",
      ],
    ];
    for (const [name, value] of ours) await lab.putRaw(`${SUBNETS}/${name}`, value);
    for (const [name, , words] of ours)
      await eventually(async () => expect(linesWith(agents[0], `key=${name}`).join()).toContain(words), 30_000);
    await pause(12_000);
    for (const [name] of ours) expect(linesWith(agents[0], `key=${name}`)).toHaveLength(1);
    expect(await overlayOf(first)).toEqual(overlay);
    for (const agent of agents) agent.signal('SIGTERM');
    await Promise.all(agents.map(({ ended }) => ended));
    const [again] = await allUp(lab);
    expect(again.log()).toMatch(new RegExp(`lease acquired.*subnet=${subnet}`));
    for (const [name, value] of ours)
      expect(await lab.ctl(`get --print-value-only ${SUBNETS}/${name}`)).toBe(`${value}\n`);
    expect(await lab.ctl(`get ${key} -w fields`)).not.toContain(`"ModRevision" : ${revision}\n`);
    expect(await traffic.missing()).toEqual([]);
  });
});

describe('a datastore that suddenly loses the leases of everybody', { timeout: 300_000 }, () => {
  it('is filled again by its owners, and no packet is missing', async () => {
    const keys = (await ownersOf(lab)).map((line) => line.split(' ')[0] ?? '').filter((key) => !key.includes('.253.'));
    await lab.transact(keys.map((key) => `del ${key}`));
    await eventually(async () => expect(await ownersOf(lab)).toEqual(before.owners), 60_000);
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('keeps who still answers until the TTL would have ended, and lets go who does not', async () => {
    const [first, second, third] = lab.nodes;
    const [kept, silent] = [await subnetOf(second), await subnetOf(third)];
    const routesTo = async (subnet: string) => (await first.lines(`ip route show ${subnet}`)).length;
    const keys = [await keyOf(second), await keyOf(third)];
    for (const agent of [agents[1], agents[2]]) agent.signal('SIGSTOP');
    const startedAt = Date.now();
    for (const key of keys) {
      const id = /lease (\w+)/.exec(await lab.ctl('lease grant 80'))?.[1];
      await lab.putRaw(key, (await lab.ctl(`get --print-value-only ${key}`)).trim(), id);
    }
    await lab.transact([...keys, `${SUBNETS}/10.244.253.0-24`].map((key) => `del ${key}`));
    await eventually(async () => expect(agents[0].log()).toContain('suddenly lacks peers'), 30_000);
    expect([await routesTo(kept), await routesTo(silent)]).toEqual([1, 1]);
    await third.namespace.run('ip link set eth0 down');
    await eventually(async () => expect(agents[0].log()).toMatch(/still lack these peers.*answering=1/), 60_000);
    await eventually(async () => expect([await routesTo(kept), await routesTo(silent)]).toEqual([1, 0]), 10_000);
    await eventually(async () => expect(await routesTo(kept)).toBe(0), 90_000);
    expect(Date.now() - startedAt).toBeGreaterThan(75_000);
  });
});
