import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allUp, type FaultLab, leaseValue, makeFaultLab, PREFIX, readyz, whole } from './fault-lab.ts';
import { type Agent, eventually, type LabNode } from './lab.ts';
import { startTraffic, type Traffic } from './pings.ts';
import { plantForeign, type Scene, sceneOf } from './scene.ts';

let lab: FaultLab;
let agent: Agent;
let first: LabNode;
let before: Scene;
let traffic: Traffic;
beforeEach(async () => {
  lab = await makeFaultLab();
  await plantForeign(lab);
  [agent] = await allUp(lab);
  [first] = lab.nodes;
  before = await sceneOf(lab);
  traffic = await startTraffic(lab);
}, 180_000);
afterEach(() => lab.remove());

async function unharmed(): Promise<void> {
  await whole(lab);
  expect(await traffic.missing()).toEqual([]);
  expect(await sceneOf(lab)).toEqual(before);
}

/** In the mount namespace of the agent, where its files may be on another file system than ours. */
async function inside(script: string): Promise<string> {
  const argv = ['nsenter', '-t', String(agent.pid), '-m', 'sh', '-c', script] as const;
  const { exitCode, stdout, stderr } = await first.namespace.host.exec(argv);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/** The agent's directory becomes a file system of eight pages, with its files in it. */
async function onSmallDisk(): Promise<void> {
  const { directory } = first.namespace;
  const state = await eventually(() => first.namespace.host.readFile(first.stateFile), 60_000);
  await inside(
    `s=$(cat ${first.stateFile}); mount -t tmpfs -o size=32k tmpfs ${directory}; printf '%s\\n' "$s" >${first.stateFile}`,
  );
  await eventually(async () => expect(await inside(`cat ${first.subnetFile}`)).toContain('FLANNEL_SUBNET'), 60_000);
  expect(await inside(`cat ${first.stateFile}`)).toBe(state);
}

/** A peer that comes changes what the state file should say. */
const comes = () => lab.putRaw(`${PREFIX}/subnets/10.244.199.0-24`, leaseValue('192.168.9.199', '02:00:00:00:01:99'));
const goes = () => lab.ctl(`del ${PREFIX}/subnets/10.244.199.0-24`);
const count = (pattern: RegExp) => agent.log().match(pattern)?.length ?? 0;

describe('subnet.env', { timeout: 300_000 }, () => {
  it.each([
    ['deleted', 'rm'],
    ['emptied', 'truncate -s 0'],
    ['made a link to nowhere', 'ln -sf /nowhere/at/all'],
  ])('comes back as it was after somebody had it %s', async (_what, command) => {
    const text = await first.namespace.host.readFile(first.subnetFile);
    await first.namespace.run(`${command} ${first.subnetFile}`);
    const back = async () => expect(await first.namespace.host.readFile(first.subnetFile)).toBe(text);
    await eventually(back, 40_000);
    await unharmed();
  });

  it.each([
    {
      what: 'a full disk',
      code: 'ENOSPC',
      harm: (directory: string) => `dd if=/dev/zero of=${directory}/full bs=1k count=64 2>/dev/null; true`,
      heal: (directory: string) => `rm ${directory}/full`,
    },
    {
      what: 'a disk that may not be written',
      code: 'EROFS',
      harm: (directory: string) => `mount -o remount,ro ${directory}`,
      heal: (directory: string) => `mount -o remount,rw ${directory}`,
    },
  ])('stays whole on $what; the agent says so once, and goes on', async ({ code, harm, heal }) => {
    const { directory } = first.namespace;
    await onSmallDisk();
    const text = await inside(`cat ${first.subnetFile}`);
    const state = await inside(`cat ${first.stateFile}`);
    const strange = text.replace(/FLANNEL_MTU=.*/, 'FLANNEL_MTU=1111');
    await inside(`printf '${strange.replaceAll('\n', '\\n')}' > ${first.subnetFile}; ${harm(directory)}`);
    await comes();
    await eventually(async () => expect(await readyz(first)).toContain(code), 60_000);
    await eventually(async () => expect(agent.log()).toMatch(new RegExp(`state cannot be kept.*${code}`)), 60_000);
    // two rounds more
    await pause(22_000);
    expect(await inside(`cat ${first.subnetFile}`)).toBe(strange);
    expect(await inside(`cat ${first.stateFile}`)).toBe(state);
    expect([...(await inside(`ls -A ${directory}`)).trim().split('\n')].filter((name) => name !== 'full')).toEqual([
      'state.json',
      'subnet.env',
    ]);
    expect([count(/level=error.*cannot be written/g), count(/state cannot be kept/g)]).toEqual([1, 1]);
    await inside(heal(directory));
    await eventually(async () => expect(await inside(`cat ${first.subnetFile}`)).toBe(text), 60_000);
    await eventually(async () => expect(await inside(`cat ${first.stateFile}`)).toContain('10.244.199.0-24'), 60_000);
    await goes();
    await eventually(async () => expect(await first.lines('ip route show 10.244.199.0/24')).toEqual([]), 60_000);
    await unharmed();
  });
});
