import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXECUTABLE } from '../leases/lab.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';

const KEY = '/coreos.com/network/subnets/10.244.1.0-24';

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

describe('leases watch', () => {
  it('tells what is there and every change, a document a line, and SIGTERM is its normal end', async () => {
    await etcd.ctl('put', KEY, '{"PublicIP":"198.51.100.1"}');
    const child = spawn(EXECUTABLE, ['leases', 'watch', '-o', 'json', '--etcd-endpoints', etcd.endpoint]);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const types: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      types.push(JSON.parse(line).type);
      if (types.length === 2) await etcd.ctl('put', KEY, '{"PublicIP":"198.51.100.2"}');
      if (types.length === 3) await etcd.ctl('del', KEY);
      if (types.length === 4) child.kill('SIGTERM');
    }
    expect([types, await ended]).toEqual([['snapshot', 'listed', 'changed', 'deleted'], 0]);
  });

  it('exits 130 on SIGINT', async () => {
    const child = spawn(EXECUTABLE, ['leases', 'watch', '-o', 'json', '--etcd-endpoints', etcd.endpoint]);
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
  });
});
