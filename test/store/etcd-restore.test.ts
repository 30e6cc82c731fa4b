import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, open } from '../support/etcd-client.ts';
import { type EtcdMember, runEtcdctl, runMember, untilHealthy } from '../support/etcd-server.ts';
import { freePort } from '../support/free-port.ts';
import { briefly, watching } from '../support/watching.ts';

const VALUE = '{"PublicIP":"192.0.2.1"}';
let folder: string;
let endpoint: string;
let member: EtcdMember;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-restore-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  endpoint = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  member = runMember([
    ...['--name', 'r', '--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `r=${peer}`],
  ]);
  await untilHealthy(member, ctl);
});
afterEach(async () => {
  await closeAll();
  await member.kill();
  await rm(folder, { recursive: true, force: true });
});

function ctl(...args: readonly string[]): Promise<string> {
  return runEtcdctl(endpoint, undefined, args);
}

const put = (subnet: string) => ctl('put', `/coreos.com/network/subnets/${subnet}-24`, VALUE);

describe('a watch of an etcd that was restored from a backup', () => {
  it('tells the leases of the backup and what comes after, although the revisions begin again', async () => {
    await put('10.244.1.0');
    await member.kill();
    await cp(join(folder, 'data'), join(folder, 'backup'), { recursive: true });
    member.start();
    await untilHealthy(member, ctl);
    await put('10.244.2.0');
    const watch = watching(await open([endpoint]));
    await watch.until((events) => events.length === 1);
    await put('10.244.3.0');
    await watch.until((events) => events.length === 2);
    await member.kill();
    await rm(join(folder, 'data'), { recursive: true });
    await cp(join(folder, 'backup'), join(folder, 'data'), { recursive: true });
    member.start();
    await untilHealthy(member, ctl);
    await watch.until((events) => events.length === 3);
    await put('10.244.4.0');
    await watch.until((events) => events.length === 4);
    expect(watch.events.map(briefly)).toEqual([
      'snapshot null 2',
      'put 10.244.3.0-24',
      'snapshot restored 1',
      'put 10.244.4.0-24',
    ]);
    await watch.end();
  }, 60_000);
});
