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
import { type Agent, CLI, eventually, type LabNode, overlayOf, subnetOf } from './lab.ts';
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

/** What a person would have saved while etcd was there, with the configuration added. */
async function leasesFile({ namespace }: LabNode, folder: string, endpoint: string): Promise<string> {
  const list = ['leases', 'list', '-o', 'json', '--etcd-endpoints', endpoint];
  const listed = await namespace.run([process.execPath, CLI, ...list].join(' '));
  const file = join(folder, 'leases.json');
  await namespace.writer.writeFile(file, JSON.stringify({ ...JSON.parse(listed), config: CONFIG }));
  return file;
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
    const file = await leasesFile(first, folder, member.endpoint);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
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

describe('up --once while etcd is dead', { timeout: 300_000 }, () => {
  it('adds and corrects from its own state, removes nobody, and says so', async () => {
    const [first, , third] = lab.nodes;
    await remembered();
    const { member } = await etcdOf(lab);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await member.kill();
    const overlay = await overlayOf(first);
    const peer = await subnetOf(third);
    await first.namespace.run(STALE);
    await first.namespace.run(`ip route del ${peer}`);
    const dry = await first.cli('up', '--dry-run');
    const route = `ip route add ${peer} via ${peer.replace('/24', '')} dev flannel.1 onlink`;
    expect([dry.exitCode, dry.stdout.match(/^[+-] .*/gm)]).toEqual([0, [`+ ${route}`]]);
    expect(dry.stderr).toMatch(/^goes on with 10\.244\.\d+\.0\/24 for 192\.168\.9\.1 on eth0/m);
    const { exitCode, stderr } = await first.cli('up', '--once', '-q');
    const warning = /^WITHOUT A DATASTORE, from \S+state\.json, \d+ s old: .*192\.168\.9\.250.*\n$/;
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(warning)]);
    expect(await first.lines(`ip route show ${peer}`)).toHaveLength(1);
    expect((await overlayOf(first)).filter(isStale)).toHaveLength(1);
    await first.namespace.run('ip link del flannel.1');
    expect((await first.cli('up', '--once')).exitCode).toBe(0);
    expect(await overlayOf(first)).toEqual(overlay);
    await member.start();
    agents = [await first.up({ flags: HEALTH }), agents[1], agents[2]];
    await whole(lab);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('takes a file of leases where it has no state, and ends with 69 where it has neither', async () => {
    const [first] = lab.nodes;
    const { member, folder } = await etcdOf(lab);
    const file = await leasesFile(first, folder, member.endpoint);
    const overlay = await overlayOf(first);
    agents[0].signal('SIGKILL');
    await agents[0].ended;
    await member.kill();
    await rm(first.stateFile, { force: true });
    await first.namespace.run('ip link del flannel.1');
    const without = await first.cli('up', '--once');
    expect([without.exitCode, without.stderr]).toEqual([69, expect.stringMatching(/there is no \S+state\.json/)]);
    expect((await overlayOf(first)).filter((line) => line.includes('flannel.1'))).toEqual([]);
    const { exitCode, stdout: plan } = await first.cli('up', '--once', '-o', 'json', '--leases-file', file);
    expect(exitCode).toBe(0);
    expect(JSON.parse(plan).notes[0]).toMatch(/^WITHOUT A DATASTORE, from \S+leases\.json: /);
    expect(await overlayOf(first)).toEqual(overlay);
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
