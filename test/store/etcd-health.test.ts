import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { liveHost } from '../../src/host/live.ts';
import { openEtcdHealth } from '../../src/store/etcd-health.ts';
import type { EtcdHealth } from '../../src/store/health.ts';
import type { EtcdSelection, StoreSecrets } from '../../src/store/store.ts';
import { PREFIX } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { freePort } from '../support/free-port.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { makeTlsFiles, type TlsFiles } from '../support/tls-files.ts';
import { makeCertificate, type ServerCertificate } from '../support/tls-variants.ts';

const TIMEOUT_MS = 2000;
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

function healthOf(
  endpoints: readonly string[],
  more: Partial<EtcdSelection> = {},
  secrets: StoreSecrets = {},
): EtcdHealth {
  const none = { keyFile: '', certFile: '', caFile: '', username: '' };
  const selection: EtcdSelection = { kind: 'etcd', endpoints, prefix: PREFIX, ...none, ...more };
  const health = openEtcdHealth({ selection, host: liveHost({ root: '/' }), secrets, timeoutMs: TIMEOUT_MS });
  closing.push(health);
  return health;
}

async function outcomeOf(endpoint: string, more: Partial<EtcdSelection> = {}, secrets: StoreSecrets = {}) {
  const [look] = await healthOf([endpoint], more, secrets).endpoints();
  return look?.outcome;
}

async function proxyTo(port: number): Promise<TcpProxy> {
  const proxy = await startProxy(port);
  closing.push(proxy);
  return proxy;
}

describe('an etcd that serves', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());

  test('answers, whatever the endpoints beside it do', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const silent = await proxyTo(etcd.port);
    silent.set('stalled');
    const stalled = `http://127.0.0.1:${silent.port}`;
    const started = Date.now();
    const looks = await healthOf([dead, etcd.endpoint, stalled]).endpoints();
    expect(looks.map(({ outcome }) => outcome.kind)).toEqual(['refused', 'answers', 'silent']);
    expect(Date.now() - started).toBeLessThan(TIMEOUT_MS * 1.3);
  });

  test.each([
    ['http://no-such-host.invalid:2379', 'unresolved'],
    ['http://127.0.0.1', 'unresolved'],
    ['nonsense', 'unresolved'],
  ])('is not looked for at %s', async (endpoint, kind) => {
    expect(await outcomeOf(endpoint)).toMatchObject({ kind });
  });

  test('is reached by an endpoint without a scheme, as by flannel', async () => {
    expect(await outcomeOf(`127.0.0.1:${etcd.port}`)).toEqual({ kind: 'answers' });
  });

  test('does not speak TLS, and that is what is said when https is asked of it', async () => {
    expect(await outcomeOf(`https://127.0.0.1:${etcd.port}`)).toMatchObject({ kind: 'tls', problem: 'plain-port' });
  });

  test('is not called late for an answer that takes its time', async () => {
    const proxy = await proxyTo(etcd.port);
    proxy.delay(60);
    expect(await outcomeOf(`http://127.0.0.1:${proxy.port}`)).toEqual({ kind: 'answers' });
  });

  test('tells how long it takes', async () => {
    const proxy = await proxyTo(etcd.port);
    const health = healthOf([`http://127.0.0.1:${proxy.port}`]);
    const quick = await health.readTimes(5, 1000);
    proxy.delay(70);
    const slow = await health.readTimes(5, 300);
    expect(quick.filter((ms) => ms < 60)).toHaveLength(5);
    expect(Math.min(...slow.slice(1))).toBeGreaterThan(100);
    expect(slow.length).toBeLessThan(5);
  });

  test('has no alarm and no v2 API', async () => {
    const health = healthOf([etcd.endpoint]);
    expect(await health.alarms()).toMatchObject({ alarms: [], databaseBytes: expect.any(Number) });
    expect(await health.v2Config()).toEqual({ kind: 'not-offered' });
  });

  test('finds keys that look like the configuration, and only those that are there', async () => {
    await etcd.ctl('put', '/flannel/network/config', '{}');
    const keys = ['/flannel/network/config', '/kubernetes/network/config'];
    expect(await healthOf([etcd.endpoint]).existing(keys)).toEqual(['/flannel/network/config']);
  });

  test('is asked for no rights where it asks for no user', async () => {
    const writes = async () =>
      /"raftIndex":\d+/.exec(await etcd.ctl('endpoint', 'status', '--write-out=json'))?.[0] ?? 'etcd does not say';
    const before = await writes();
    expect((await healthOf([etcd.endpoint]).access()).denials).toEqual([]);
    expect([before, await writes()]).toEqual([expect.stringMatching(/\d/), before]);
  });

  test('says of nobody that answers what each endpoint did', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    await expect(healthOf([dead]).alarms()).rejects.toMatchObject({
      reason: 'unreachable',
      message: `etcd ${dead} refused the connection`,
    });
  });
});

describe('an etcd that has lost its quorum', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
    // A second member that never comes: from now on two are needed and one runs.
    await etcd.ctl('member', 'add', 'second', '--peer-urls=http://127.0.0.1:1');
    await new Promise((resolve) => setTimeout(resolve, 3500));
  });
  afterAll(() => etcd.stop());

  test('takes connections and answers from its own copy, and is not called healthy', async () => {
    expect(await outcomeOf(etcd.endpoint)).toEqual({
      kind: 'no-quorum',
      words: 'has no leader: the cluster has lost its quorum',
    });
  });
});

describe('an etcd with authentication', () => {
  let etcd: EtcdServer;
  const as = (username: string, etcdPassword: string) => healthOf([etcd.endpoint], { username }, { etcdPassword });
  beforeAll(async () => {
    etcd = await startEtcd();
    const grants = [
      ['writer', 'readwrite', `${PREFIX}/`],
      ['reader', 'read', `${PREFIX}/`],
      ['configurer', 'read', `${PREFIX}/config`],
    ] as const;
    await etcd.ctl('user', 'add', 'root:root');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    for (const [name, right, prefix] of grants) {
      await etcd.ctl('user', 'add', `${name}:${name}`);
      await etcd.ctl('role', 'add', name);
      await etcd.ctl('role', 'grant-permission', '--prefix=true', name, right, prefix);
      await etcd.ctl('user', 'grant-role', name, name);
    }
    await etcd.ctl('put', `${PREFIX}/subnets/10.244.1.0-24`, '{}');
    await etcd.ctl('auth', 'enable');
  });
  afterAll(() => etcd.stop());

  test('wants a user', async () => {
    expect(await outcomeOf(etcd.endpoint)).toEqual({ kind: 'denied', words: 'wants a user name and a password' });
  });

  test('refuses a wrong password', async () => {
    const outcome = await outcomeOf(etcd.endpoint, { username: 'writer' }, { etcdPassword: 'wrong' });
    expect(outcome).toMatchObject({ kind: 'denied', words: 'refuses the user name or the password' });
  });

  test('denies nothing to a user of the whole prefix', async () => {
    expect((await as('writer', 'writer').access()).denials).toEqual([]);
  });

  test('denies a reader the writing', async () => {
    const { denials } = await as('reader', 'reader').access();
    expect(denials.map(({ action }) => action)).toEqual(['write-leases']);
  });

  test('denies a reader of the configuration alone the leases, too', async () => {
    const { denials } = await as('configurer', 'configurer').access();
    expect(denials.map(({ action }) => action)).toEqual(['list-leases', 'write-leases']);
  });

  test('holds the same keys in the same revision after it was asked', async () => {
    const all = () => etcd.ctl('--user', 'root:root', 'get', '--prefix', '/', '--write-out=json');
    const stored = async () => (await all()).replace(/"raft_term":\d+|"member_id":\d+/g, '');
    const before = await stored();
    await as('writer', 'writer').access();
    expect(await stored()).toBe(before);
  });

  test('still lists its alarms', async () => {
    expect((await as('reader', 'reader').alarms()).alarms).toEqual([]);
  });
});

describe('an etcd with TLS', () => {
  let etcd: EtcdServer;
  let files: TlsFiles;
  beforeAll(async () => {
    files = await makeTlsFiles();
    etcd = await startEtcd({ tls: { ...files, clientCertAuth: true } });
  });
  afterAll(async () => {
    await etcd.stop();
    await files.remove();
  });

  test('answers with all three files', async () => {
    expect(await outcomeOf(etcd.endpoint, files)).toEqual({ kind: 'answers' });
  });

  test('is asked over TLS for its alarms and the v2 API', async () => {
    const health = healthOf([etcd.endpoint], files);
    expect((await health.alarms()).alarms).toEqual([]);
    expect(await health.v2Config()).toEqual({ kind: 'not-offered' });
  });

  test('is not trusted with another CA', async () => {
    const outcome = await outcomeOf(etcd.endpoint, { ...files, caFile: files.otherCaFile });
    expect(outcome).toMatchObject({ kind: 'tls', problem: 'unknown-authority', certificate: { issuer: 'ca' } });
  });

  test('is not trusted with the CA alone, which flannel ignores then', async () => {
    const outcome = await outcomeOf(etcd.endpoint, { caFile: files.caFile });
    expect(outcome).toMatchObject({ kind: 'tls', problem: 'ca-ignored' });
  });

  test('speaks TLS, and that is what is said when http is asked of it', async () => {
    const outcome = await outcomeOf(etcd.endpoint.replace('https', 'http'));
    expect(outcome).toMatchObject({ kind: 'tls', problem: 'tls-port' });
  });

  test('refuses a client certificate of another CA', async () => {
    const other = await makeCertificate({});
    const own = { caFile: files.caFile, certFile: other.certFile, keyFile: other.keyFile };
    const outcome = await outcomeOf(etcd.endpoint, own);
    await other.remove();
    expect(outcome).toMatchObject({ kind: 'tls', problem: 'client-certificate' });
  });

  test.each([
    ['a file that is not there', { certFile: '/nonexistent/cert.pem' }],
    ['a key that is no key', { keyFile: '/etc/passwd' }],
  ])('cannot be asked with %s', async (_, own) => {
    expect(await outcomeOf(etcd.endpoint, { ...files, ...own })).toMatchObject({ kind: 'tls', problem: 'own-files' });
  });

  test('is refused, not a matter of TLS, when nobody listens', async () => {
    expect(await outcomeOf(`https://127.0.0.1:${await freePort()}`, files)).toMatchObject({ kind: 'refused' });
  });
});

/** A server of which nothing but the certificate matters. */
async function serve(certificate: ServerCertificate): Promise<string> {
  const [cert, key] = await Promise.all([readFile(certificate.certFile), readFile(certificate.keyFile)]);
  const server = createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closing.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return `https://127.0.0.1:${port}`;
}

test.each([
  ['that ran out', { days: -1 }, 'out-of-date'],
  ['for another name', { names: 'DNS:etcd-1.example' }, 'other-name'],
])('a certificate %s is told from others', async (_, parts, problem) => {
  const certificate = await makeCertificate(parts);
  const outcome = await outcomeOf(await serve(certificate), certificate);
  await certificate.remove();
  expect(outcome).toMatchObject({ kind: 'tls', problem, certificate: { subject: 'etcd-1', issuer: 'ca' } });
});

describe('an etcd with the v2 API', () => {
  let etcd: EtcdServer;
  const put = (body: string) =>
    fetch(`${etcd.endpoint}/v2/keys${PREFIX}/config`, { method: 'PUT', body: new URLSearchParams({ value: body }) });
  beforeAll(async () => {
    etcd = await startEtcd({ flags: ['--enable-v2'] });
  });
  afterAll(() => etcd.stop());

  test('has nothing there before something is written', async () => {
    expect(await healthOf([etcd.endpoint]).v2Config()).toEqual({ kind: 'empty' });
  });

  test('shows the configuration that was written there', async () => {
    await put('{"Network":"10.5.0.0/16"}');
    const look = await healthOf([etcd.endpoint]).v2Config();
    expect(look).toEqual({ kind: 'found', endpoint: etcd.endpoint, config: '{"Network":"10.5.0.0/16"}' });
  });
});

describe('an etcd without space', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd({ flags: ['--quota-backend-bytes', String(4 << 20)] });
    const value = 'x'.repeat(100_000);
    for (let full = false; !full; ) {
      const [outcome] = await Promise.allSettled([etcd.ctl('put', '/fill', value)]);
      full = outcome?.status === 'rejected';
    }
  });
  afterAll(() => etcd.stop());

  test('answers reads and says that it takes no writes', async () => {
    const health = healthOf([etcd.endpoint]);
    expect((await health.endpoints())[0]?.outcome).toEqual({ kind: 'answers' });
    expect((await health.alarms()).alarms).toEqual(['NOSPACE']);
  });
});
