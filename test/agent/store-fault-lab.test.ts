import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { allUp, exchangeData, type FaultLab, keyOf, makeFaultLab, PREFIX, readyz, whole } from './fault-lab.ts';
import { eventually, overlayOf, subnetOf } from './lab.ts';
import { startTraffic } from './pings.ts';
import { ownersOf, plantForeign, sceneOf } from './scene.ts';

let lab: FaultLab;
afterEach(() => lab.remove());

/** Runs a fault under traffic; afterwards everything is as it was and no packet is missing. */
async function unharmedBy(fault: () => Promise<void>): Promise<void> {
  await plantForeign(lab);
  await whole(lab);
  const before = await sceneOf(lab);
  const traffic = await startTraffic(lab);
  await fault();
  await whole(lab);
  expect(await traffic.missing()).toEqual([]);
  expect(await sceneOf(lab)).toEqual(before);
}

const revisionOf = async (key: string) => /"ModRevision" : (\d+)/.exec(await lab.ctl(`get ${key} -w fields`))?.[1];

describe('an agent with one etcd', () => {
  it('loses no packet while etcd is killed for longer than a renewal period, and renews when it is back', {
    timeout: 300_000,
  }, async () => {
    lab = await makeFaultLab();
    // a lease of 24 h that is renewed 1439 minutes before its end: every minute
    const agents = await allUp(lab, { flags: ['--subnet-lease-renew-margin', '1439'] });
    const [member] = lab.members;
    const key = await keyOf(lab.nodes[0]);
    const revision = await revisionOf(key);
    await unharmedBy(async () => {
      await member?.kill();
      await eventually(async () => expect(agents[0].log()).toMatch(/could not be cared for.*step=renew/), 90_000);
      await member?.start();
      await eventually(async () => expect(agents[0].log()).toMatch(/lease renewed.*why=margin/), 15_000);
    });
    expect(Number(await revisionOf(key))).toBeGreaterThan(Number(revision));
  });

  it('loses no packet while etcd is stopped and goes on', { timeout: 240_000 }, async () => {
    lab = await makeFaultLab();
    const agents = await allUp(lab);
    await unharmedBy(async () => {
      lab.members[0]?.signal('SIGSTOP');
      await eventually(async () => expect(agents[0].log()).toContain('cannot be followed'), 30_000);
      lab.members[0]?.signal('SIGCONT');
      await eventually(async () => expect(agents[0].log()).toMatch(/read all leases.*because=reconnected/), 30_000);
    });
    // as often as its words changed, not once a try
    expect(agents[0].log().match(/cannot be followed/g)?.length).toBeLessThan(5);
  });

  it('follows on after etcd compacted what it had not heard yet', { timeout: 240_000 }, async () => {
    lab = await makeFaultLab();
    const agents = await allUp(lab);
    await unharmedBy(async () => {
      agents[0].signal('SIGSTOP');
      lab.members[0]?.signal('SIGSTOP');
      // longer than the keepalive of the connection, so that the watch ends
      await pause(1000);
      lab.members[0]?.signal('SIGCONT');
      await lab.members[0]?.kill();
      await lab.members[0]?.start();
      for (let index = 0; index < 5; index += 1) await lab.putRaw(`${PREFIX}/subnets/10.244.200.0-24`, `junk ${index}`);
      await lab.ctl(`del ${PREFIX}/subnets/10.244.200.0-24`);
      const revision = Number(/"Revision" : (\d+)/.exec(await lab.ctl('get nothing -w fields'))?.[1]);
      await lab.ctl(`compact ${revision}`);
      agents[0].signal('SIGCONT');
      await eventually(async () => expect(agents[0].log()).toMatch(/read all leases.*because=compacted/), 30_000);
    });
  });
});

describe('an agent whose etcd was restored from an older snapshot', () => {
  /** A lab whose data are as before `change`, while the agents know what came after. */
  async function rewound(change: () => Promise<void>): Promise<void> {
    const [member] = lab.members;
    if (member === undefined) throw new Error('there is no etcd');
    const backup = join(member.namespace.directory, 'backup');
    await member.kill();
    await cp(member.dataDir, backup, { recursive: true });
    await member.start();
    await change();
    await member.kill();
    await exchangeData(member, backup);
    await member.start();
  }

  it('takes its lease again when the snapshot lacks it, and lets no peer go', { timeout: 240_000 }, async () => {
    lab = await makeFaultLab();
    await plantForeign(lab);
    const [first, second, third] = lab.nodes;
    const traffic: Awaited<ReturnType<typeof startTraffic>>[] = [];
    let before: Awaited<ReturnType<typeof sceneOf>> | undefined;
    await first.up({ flags: ['--healthz-port', '8081'] });
    await rewound(async () => {
      await Promise.all([second, third].map((node) => node.up({ flags: ['--healthz-port', '8081'] })));
      await whole(lab);
      before = await sceneOf(lab);
      traffic.push(await startTraffic(lab));
    });
    await eventually(async () => expect(await ownersOf(lab)).toEqual(before?.owners), 30_000);
    await whole(lab);
    expect(await traffic[0]?.missing()).toEqual([]);
    expect(await sceneOf(lab)).toEqual(before);
  });

  it('leaves its subnet to another host that has it there, and keeps the data path', { timeout: 240_000 }, async () => {
    lab = await makeFaultLab();
    const [first] = lab.nodes;
    const held = '10.244.77.0-24';
    const value =
      '{"PublicIP":"192.168.9.77","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:77"}}';
    await lab.putRaw(`${PREFIX}/subnets/${held}`, value);
    await first.namespace.writer.writeFile(
      first.subnetFile,
      'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.77.1/24\n',
    );
    let overlay: readonly string[] = [];
    const traffic: Awaited<ReturnType<typeof startTraffic>>[] = [];
    await rewound(async () => {
      await lab.ctl(`del ${PREFIX}/subnets/${held}`);
      await allUp(lab);
      expect(await subnetOf(first)).toBe('10.244.77.0/24');
      overlay = await overlayOf(first);
      traffic.push(await startTraffic(lab));
    });
    await eventually(
      async () => expect(await readyz(first)).toMatch(/192\.168\.9\.1\).*held by 192\.168\.9\.77/),
      30_000,
    );
    expect(await lab.ctl(`get --print-value-only ${PREFIX}/subnets/${held}`)).toBe(`${value}\n`);
    expect(await overlayOf(first)).toEqual(overlay);
    // from the first to the second and from there on; the others follow the store, which sends them to 192.168.9.77
    expect((await traffic[0]?.missing())?.filter((line) => line.startsWith('1→2'))).toEqual([]);
    await rm(join(lab.members[0]?.namespace.directory ?? '', 'backup'), { recursive: true, force: true });
  });
});
