import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allUp, type FaultLab, HEALTH, keyOf, leaseValue, makeFaultLab, readyz, whole } from './fault-lab.ts';
import { type Agent, eventually, type LabNode, overlayOf, subnetOf } from './lab.ts';
import { startTraffic, type Traffic } from './pings.ts';
import { ownersOf, plantForeign, type Scene, sceneOf } from './scene.ts';

const FLANNELD = fileURLToPath(new URL('flanneld.ts', import.meta.url));

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

const storedAt = async (key: string) => (await lab.ctl(`get --print-value-only ${key}`)).trim();

/** Something that is called flanneld there, takes the lease and programs the overlay as flanneld does; resolves when it has. */
async function startFlanneld(node: LabNode) {
  const flags = [`--etcd-endpoints=${lab.members[0]?.endpoint}`, '--iface=eth0', `--subnet-file=${node.subnetFile}`];
  const argv = ['netns', 'exec', node.namespace.name, process.execPath, FLANNELD, ...flags];
  const child = lab.track(spawn('ip', argv, { stdio: ['ignore', 'ignore', 'pipe'] }));
  let said = '';
  child.stderr?.on('data', (chunk) => (said += String(chunk)));
  await eventually(async () => expect(said).toContain('Running backend.'), 60_000);
  return child;
}

describe('a flanneld', { timeout: 300_000 }, () => {
  it('that is started later takes over lease and device; the agent leaves, and no packet is missing', async () => {
    const [first] = lab.nodes;
    await startFlanneld(first);
    expect(await agents[0].ended).toBe(0);
    expect(agents[0].log()).toMatch(/flanneld \(pid \d+\) runs here and owns the overlay; leaving it the device/);
    expect(await overlayOf(first)).toEqual(before.overlays[0]);
    expect(await ownersOf(lab)).toEqual(before.owners);
    expect(await traffic.missing()).toEqual([]);
  });

  it('is taken over from without a packet missing', async () => {
    const [first] = lab.nodes;
    const flanneld = await startFlanneld(first);
    expect(await agents[0].ended).toBe(0);
    const ended = new Promise((resolve) => flanneld.once('exit', (_code, signal) => resolve(signal)));
    await first.up({ flags: [...HEALTH, '--takeover'] });
    expect(await ended).toBe('SIGTERM');
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('is not stopped by an agent that could not go on in its place', async () => {
    const [first] = lab.nodes;
    const flanneld = await startFlanneld(first);
    expect(await agents[0].ended).toBe(0);
    await first.namespace.writer.remove(first.stateFile);
    await lab.members[0]?.kill();
    expect((await first.cli('up', '--takeover')).exitCode).toBe(69);
    expect([flanneld.exitCode, flanneld.signalCode]).toEqual([null, null]);
    expect(await traffic.missing()).toEqual([]);
  });
});

describe('a subnet that another host took', { timeout: 300_000 }, () => {
  const THIEF = leaseValue('192.168.9.77', '02:00:00:00:00:77');

  /** The first agent anew, with these flags. */
  async function again(...flags: readonly string[]): Promise<void> {
    agents[0].signal('SIGTERM');
    await agents[0].ended;
    await lab.nodes[0].up({ flags: [...HEALTH, ...flags] });
    await whole(lab);
  }

  /** A bridge of that name with a port, as the bridge plugin makes for the first pod. */
  async function startPod({ namespace }: LabNode): Promise<void> {
    await namespace.run('ip link add cni0 type bridge');
    await namespace.run('ip link add pod1 type veth peer name pod1-eth0');
    await namespace.run('ip link set pod1 master cni0');
  }

  it('is kept in use while pods are in it, also where another one was asked for', async () => {
    const [first] = lab.nodes;
    await again('--on-conflict', 'reallocate');
    await startPod(first);
    const [key, subnet, overlay] = [await keyOf(first), await subnetOf(first), await overlayOf(first)];
    await lab.putRaw(key, THIEF);
    await eventually(
      async () => expect(await readyz(first)).toMatch(/while pods use the old one: port pod1.*drain the node/),
      60_000,
    );
    expect([await storedAt(key), await subnetOf(first), await overlayOf(first)]).toEqual([THIEF, subnet, overlay]);
    expect((await traffic.missing()).filter((line) => line.startsWith('1→2'))).toEqual([]);
  });

  it.each([
    ['without pods', ['--on-conflict', 'reallocate'], false],
    ['with pods by force', ['--on-conflict', 'reallocate', '--force'], true],
  ] as const)('is given up for a free one %s, and the thief keeps it', async (_what, flags, hasPod) => {
    const [first] = lab.nodes;
    await again(...flags);
    if (hasPod) await startPod(first);
    const [key, subnet] = [await keyOf(first), await subnetOf(first)];
    await lab.putRaw(key, THIEF);
    await eventually(async () => expect(await subnetOf(first)).not.toBe(subnet), 60_000);
    await whole(lab);
    expect(await storedAt(key)).toBe(THIEF);
    expect(await storedAt(await keyOf(first))).toContain('"192.168.9.1"');
    expect((await traffic.missing()).filter((line) => line.startsWith('1→2'))).toEqual([]);
    expect((await sceneOf(lab)).foreign).toEqual(before.foreign);
  });
});
