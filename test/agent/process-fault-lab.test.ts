import { copyFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allUp, type FaultLab, HEALTH, keyOf, leaseValue, makeFaultLab, readyz, whole } from './fault-lab.ts';
import { type Agent, eventually, overlayOf, subnetOf } from './lab.ts';
import { startTraffic } from './pings.ts';
import { ownersOf, plantForeign, type Scene, sceneOf } from './scene.ts';

let lab: FaultLab;
let agents: readonly [Agent, Agent, Agent];
let before: Scene;
beforeEach(async () => {
  lab = await makeFaultLab();
  await plantForeign(lab);
  agents = await allUp(lab);
  before = await sceneOf(lab);
}, 180_000);
afterEach(() => lab.remove());

const storedAt = async (key: string) => (await lab.ctl(`get --print-value-only ${key}`)).trim();
const revisionOf = async (key: string) => /"ModRevision" : (\d+)/.exec(await lab.ctl(`get ${key} -w fields`))?.[1];

/** What happens when the time of a lease is over: etcd itself drops the key. */
async function runOut(key: string): Promise<void> {
  const id = /lease (\w+)/.exec(await lab.ctl('lease grant 1'))?.[1];
  const value = await storedAt(key);
  await lab.putRaw(key, value, id);
  await eventually(async () => expect(await storedAt(key)).toBe(''), 20_000);
}

describe('an agent that ends and starts again', { timeout: 240_000 }, () => {
  it.each([
    ['SIGKILL', null],
    ['SIGTERM', 0],
  ] as const)('loses no packet, each of three by %s', async (signal, code) => {
    const traffic = await startTraffic(lab);
    for (const [index, node] of lab.nodes.entries()) {
      agents[index]?.signal(signal);
      expect(await agents[index]?.ended).toBe(code);
      await node.up({ flags: HEALTH });
    }
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('takes up again what was changed while it was away, and nothing else', async () => {
    const [first, second] = lab.nodes;
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await first.namespace.run(`ip route del ${await subnetOf(second)}`);
    await first.namespace.run(`ip link set flannel.1 mtu 1300`);
    await first.up({ flags: HEALTH });
    await whole(lab);
    expect(await sceneOf(lab)).toEqual(before);
  });
});

describe('an agent that slept for longer than its lease', { timeout: 240_000 }, () => {
  it('takes its subnet again when it is free', async () => {
    const key = await keyOf(lab.nodes[0]);
    const traffic = await startTraffic(lab);
    agents[0].signal('SIGSTOP');
    await runOut(key);
    agents[0].signal('SIGCONT');
    await whole(lab);
    // the first may be whole while the last has yet to take it back
    await eventually(async () => expect(await sceneOf(lab)).toEqual(before), 5000);
    // the others let the sleeper go when its lease is over; nobody else is touched by it
    expect((await traffic.missing()).filter((line) => line.startsWith('1→2'))).toEqual([]);
  });

  it('never writes over the host that took its subnet, and keeps its data path', async () => {
    const key = await keyOf(lab.nodes[0]);
    const traffic = await startTraffic(lab);
    agents[0].signal('SIGSTOP');
    await runOut(key);
    await lab.putRaw(key, leaseValue('192.168.9.77', '02:00:00:00:00:77'));
    const revision = await revisionOf(key);
    agents[0].signal('SIGCONT');
    const both = /used by this node \(192\.168\.9\.1\).*held by 192\.168\.9\.77/;
    await eventually(async () => expect(await readyz(lab.nodes[0])).toMatch(both), 20_000);
    await pause(5000);
    expect(await revisionOf(key)).toBe(revision);
    expect(await overlayOf(lab.nodes[0])).toEqual(before.overlays[0]);
    expect((await traffic.missing()).filter((line) => line.startsWith('1→2'))).toEqual([]);
  });

  it('never fights with another sleeper that had its subnet before', async () => {
    const [first, second] = lab.nodes;
    const [key, secondKey] = [await keyOf(first), await keyOf(second)];
    agents[0].signal('SIGSTOP');
    agents[1].signal('SIGKILL');
    await agents[1].ended;
    await Promise.all([runOut(key), runOut(secondKey)]);
    // the second node is given the subnet of the first, as a host is that asks while it is free
    await second.namespace.run('ip link del flannel.1');
    await copyFile(first.subnetFile, second.subnetFile);
    const other = await second.up({ flags: HEALTH });
    expect(await keyOf(second)).toBe(key);
    other.signal('SIGSTOP');
    await runOut(key);
    for (const agent of [agents[0], other]) agent.signal('SIGCONT');
    const said = async () => (await Promise.all([readyz(first), readyz(second)])).map((text) => text === 'ready');
    await eventually(async () => expect((await said()).sort()).toEqual([false, true]), 30_000);
    const revision = await revisionOf(key);
    await pause(15_000);
    expect([await revisionOf(key), (await said()).sort()]).toEqual([revision, [false, true]]);
  });
});

describe('a copied machine', { timeout: 240_000 }, () => {
  it('does not take the subnet of the one it was copied from', async () => {
    const [first, second] = lab.nodes;
    const [key, secondKey] = [await keyOf(first), await keyOf(second)];
    const revision = await revisionOf(key);
    agents[1].signal('SIGKILL');
    await agents[1].ended;
    await lab.ctl(`del ${secondKey}`);
    await second.namespace.run('ip link del flannel.1');
    await copyFile(first.subnetFile, second.subnetFile);
    await eventually(() => copyFile(first.stateFile, second.stateFile), 30_000);
    const clone = await second.up({ flags: HEALTH, until: /is held by 192\.168\.9\.1/ });
    expect(await readyz(second)).toMatch(/used by this node \(192\.168\.9\.2\).*held by 192\.168\.9\.1/);
    expect(await revisionOf(key)).toBe(revision);
    clone.signal('SIGTERM');
    expect(await clone.ended).toBe(0);
  });

  it('is not started from the state of another machine, node, address or prefix while etcd is dead', async () => {
    const [first] = lab.nodes;
    const { host, writer } = first.namespace;
    const state = JSON.parse(await eventually(() => host.readFile(first.stateFile), 30_000));
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await lab.members[0]?.kill();
    for (const [change, words] of STRANGE) {
      await writer.writeFile(first.stateFile, JSON.stringify({ ...state, ...change }));
      const { exitCode, stderr } = await first.cli('up');
      expect([exitCode, stderr]).toEqual([69, expect.stringContaining(words)]);
    }
    expect(await overlayOf(first)).toEqual(before.overlays[0]);
  });
});

const STRANGE = [
  [{ machineId: 'other' }, 'machine with another id'],
  [{ node: 'other' }, 'of the node other'],
  [{ publicIp: '192.168.9.9' }, 'address 192.168.9.9'],
  [{ prefix: '/other' }, 'is of /other'],
] as const;

describe('the clock of the day', { timeout: 300_000 }, () => {
  it('may jump an hour forward and back: no renewal comes early or is missed, nobody is let go', async () => {
    const [first] = lab.nodes;
    const file = `${first.namespace.directory}/faketime`;
    const set = (offset: string) => first.namespace.writer.writeFile(file, `${offset}\n`);
    await set('+0');
    agents[0].signal('SIGTERM');
    await agents[0].ended;
    const fake = ['FAKETIME_DONT_FAKE_MONOTONIC=1', 'FAKETIME_CACHE_DURATION=1', `FAKETIME_TIMESTAMP_FILE=${file}`];
    const wrap = ['env', `LD_PRELOAD=${FAKETIME}`, ...fake];
    const startedAt = Date.now();
    // renewed a minute after it was written
    const agent = await first.up({ flags: [...HEALTH, '--subnet-lease-renew-margin', '1439'], wrap });
    await whole(lab);
    const [key, traffic] = [await keyOf(first), await startTraffic(lab)];
    const revision = await revisionOf(key);
    for (const offset of ['+3600', '+0', '-3600']) {
      const already = agent.log().match(/time jumped/g)?.length ?? 0;
      await set(offset);
      await eventually(async () => expect(agent.log().match(/time jumped/g)?.length).toBe(already + 1), 25_000);
      if (Date.now() - startedAt < 50_000) expect(await revisionOf(key)).toBe(revision);
    }
    await eventually(async () => expect(await revisionOf(key)).not.toBe(revision), 90_000);
    expect(agent.log().match(/lease renewed/g)).toHaveLength(1);
    expect(Date.now() - startedAt).toBeGreaterThan(55_000);
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    expect([await ownersOf(lab), await overlayOf(first)]).toEqual([before.owners, before.overlays[0]]);
    expect(Number(new Date(timeOf(agent)))).toBeLessThan(Date.now() - 3_000_000);
  });
});

/** Of Debian's package libfaketime, for programs with threads. */
const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** As the agent's last line has it. */
function timeOf(agent: Agent): string {
  return /time=(\S+)/.exec(agent.log().trim().split('\n').at(-1) ?? '')?.[1] ?? '';
}
