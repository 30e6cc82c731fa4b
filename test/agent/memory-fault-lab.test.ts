import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allUp,
  CONFIG,
  exchangeData,
  type FaultLab,
  HEALTH,
  keyOf,
  makeFaultLab,
  PREFIX,
  readyz,
  whole,
} from './fault-lab.ts';
import { type Agent, CLI, eventually, overlayOf, subnetOf } from './lab.ts';
import { startTraffic } from './pings.ts';
import { plantForeign, type Scene, sceneOf } from './scene.ts';

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

/** An entry of ours that serves nobody any more: only a complete list may remove it. */
const STALE = 'ip neigh replace 10.244.251.0 lladdr 02:00:00:00:02:51 dev flannel.1 nud permanent';
const isStale = (line: string) => line.startsWith('10.244.251.0 ');

/** Its state is on disk, with both peers. */
async function remembered(): Promise<void> {
  const [first, second, third] = lab.nodes;
  const peers = await Promise.all([second, third].map(subnetOf));
  await eventually(async () => {
    const state = await first.namespace.host.readFile(first.stateFile);
    for (const peer of peers) expect(state).toContain(peer);
  }, 20_000);
}

async function etcdOf(lab: FaultLab) {
  const [member] = lab.members;
  if (member === undefined) throw new Error('there is no etcd');
  return { member, folder: member.namespace.directory };
}

describe('an agent that starts while etcd is dead', { timeout: 300_000 }, () => {
  it('adds and corrects from its own state, removes nobody, and says so', async () => {
    const [first] = lab.nodes;
    await remembered();
    const { member } = await etcdOf(lab);
    const traffic = await startTraffic(lab);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await member.kill();
    const again = await first.up({ flags: HEALTH, until: /STARTING WITHOUT A DATASTORE[^\n]*state\.json/ });
    await first.namespace.run(STALE);
    await first.namespace.run('ip route replace 10.244.250.0/24 via 10.244.250.0 dev flannel.1 onlink');
    const third = await subnetOf(lab.nodes[2]);
    await first.namespace.run(`ip route del ${third}`);
    await eventually(async () => expect(await first.lines(`ip route show ${third}`)).toHaveLength(1), 20_000);
    await pause(11_000);
    expect((await overlayOf(first)).filter(isStale)).toHaveLength(1);
    expect(await first.lines('ip route show 10.244.250.0/24')).toHaveLength(1);
    await member.start();
    await eventually(async () => expect(again.log()).toContain('lease acquired'), 60_000);
    await eventually(async () => expect((await overlayOf(first)).filter(isStale)).toEqual([]), 60_000);
    await whole(lab);
    // the answers to the third went along the route that was taken away
    expect((await traffic.missing()).filter((line) => !line.startsWith('2→0'))).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('adds and corrects from a file of leases, removes nobody, and says so', async () => {
    const [first] = lab.nodes;
    const { member, folder } = await etcdOf(lab);
    const traffic = await startTraffic(lab);
    const list = ['leases', 'list', '-o', 'json', '--etcd-endpoints', member.endpoint];
    const listed = await first.namespace.run([process.execPath, CLI, ...list].join(' '));
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    const file = join(folder, 'leases.json');
    await first.namespace.writer.writeFile(file, JSON.stringify({ ...JSON.parse(listed), config: CONFIG }));
    await rm(first.stateFile, { force: true });
    await member.kill();
    await first.namespace.run(STALE);
    const again = await first.up({
      flags: [...HEALTH, '--leases-file', file],
      until: /WITHOUT A DATASTORE[^\n]*leases\.json/,
    });
    await eventually(async () => expect(again.log()).toContain('the overlay is up'), 20_000);
    await pause(11_000);
    expect((await overlayOf(first)).filter(isStale)).toHaveLength(1);
    await member.start();
    await eventually(async () => expect((await overlayOf(first)).filter(isStale)).toEqual([]), 60_000);
    await whole(lab);
    expect(await traffic.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });
});

describe('another cluster in the place of the datastore', { timeout: 300_000 }, () => {
  const OTHER = ['--initial-cluster-token', 'another'];

  it('is neither believed nor written to, and both are named until the old one is back', async () => {
    const [first] = lab.nodes;
    await remembered();
    const { member, folder } = await etcdOf(lab);
    const traffic = await startTraffic(lab);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await member.kill();
    await rename(member.dataDir, join(folder, 'old'));
    const again = await first.up({ flags: HEALTH, until: /STARTING WITHOUT A DATASTORE/ });
    await member.start(...OTHER);
    await lab.putRaw(`${PREFIX}/config`, JSON.stringify(CONFIG));
    for (const node of lab.nodes)
      await eventually(
        async () => expect(await readyz(node)).toMatch(/is of cluster \w+, but .* of cluster \w+/),
        60_000,
      );
    await pause(12_000);
    expect(await lab.ctl(`get --prefix ${PREFIX}/subnets`)).toBe('');
    expect((await sceneOf(lab)).overlays).toEqual(before.overlays);
    expect(again.log().match(/is of cluster/g)?.length).toBeLessThan(8);
    await member.kill();
    await exchangeData(member, join(folder, 'old'));
    await member.start();
    await whole(lab, 90_000);
    expect(await traffic.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('is believed when it has the leases, as one that was restored has', async () => {
    const [first] = lab.nodes;
    const { member, folder } = await etcdOf(lab);
    const key = await keyOf(first);
    const snapshot = join(folder, 'snapshot');
    await lab.ctl(`snapshot save ${snapshot}`);
    const traffic = await startTraffic(lab);
    await member.kill();
    await rm(member.dataDir, { recursive: true });
    const peer = 'http://192.168.9.250:2380';
    const where = [
      '--name',
      'm250',
      '--initial-cluster',
      `m250=${peer}`,
      '--initial-advertise-peer-urls',
      peer,
      ...OTHER,
    ];
    await lab.ctl(`snapshot restore ${snapshot} --data-dir ${member.dataDir} ${where.join(' ')}`);
    await member.start(...OTHER);
    await eventually(async () => expect(agents[0].log()).toContain('taken for the old one, restored'), 60_000);
    await whole(lab, 90_000);
    expect(await traffic.missing()).toEqual([]);
    await lab.ctl(`del ${key}`);
    await whole(lab, 90_000);
    expect((await sceneOf(lab)).owners).toEqual(before.owners);
  });
});
