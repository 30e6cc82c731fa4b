import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  attributes,
  closeAll,
  failureOf,
  open,
  PREFIX,
  proxies,
  stalledEndpoint,
  TIMEOUT_MS,
} from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { startProxy } from '../support/proxy.ts';
import { makeTlsFiles, type TlsFiles } from '../support/tls-files.ts';
import { countOf, watching } from '../support/watching.ts';

afterEach(closeAll);

describe('an etcd with authentication', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
    await etcd.ctl('user', 'add', 'root:rootpw');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    await etcd.ctl('user', 'add', 'reader:readerpw');
    await etcd.ctl('role', 'add', 'reader');
    await etcd.ctl('role', 'grant-permission', 'reader', '--prefix=true', 'read', `${PREFIX}/`);
    await etcd.ctl('user', 'grant-role', 'reader', 'reader');
    await etcd.ctl('put', `${PREFIX}/config`, '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}');
    await etcd.ctl('auth', 'enable');
  });
  afterAll(() => etcd.stop());

  test('wants credentials, which is no empty store', async () => {
    const { error } = await failureOf((await open([etcd.endpoint])).listLeases());
    expect(error).toMatchObject({ reason: 'permission', exitCode: 77 });
    expect(error.message).toBe(`etcd ${etcd.endpoint} wants a user name and a password`);
  });

  test('refuses a wrong password without showing it', async () => {
    const store = await open([etcd.endpoint], { username: 'root' }, { etcdPassword: 'hunter2' });
    const { error } = await failureOf(store.readNetworkConfig());
    expect(error.message).toBe(`etcd ${etcd.endpoint} refuses the user name or the password`);
    expect(`${error.stack} ${error.cause}`).not.toContain('hunter2');
  });

  test('lets the right user in', async () => {
    const store = await open([etcd.endpoint], { username: 'root' }, { etcdPassword: 'rootpw' });
    await expect(store.acquire({ attributes })).resolves.toMatchObject({ kind: 'lease' });
  });

  test('lets a reader read and refuses its write', async () => {
    const store = await open([etcd.endpoint], { username: 'reader' }, { etcdPassword: 'readerpw' });
    const { modRevision } = await store.readNetworkConfig();
    const { error } = await failureOf(store.writeNetworkConfig('{}', modRevision));
    expect(error).toMatchObject({ reason: 'permission' });
    expect(error.message).toContain(etcd.endpoint);
  });

  test('does not call a prefix empty that the user may not read', async () => {
    const options = { username: 'reader', prefix: '/other' };
    const store = await open([etcd.endpoint], options, { etcdPassword: 'readerpw' });
    expect((await failureOf(store.listLeases())).error).toMatchObject({ reason: 'permission' });
  });

  test('is as quick to give up on a silent endpoint as without a password', async () => {
    const endpoint = await stalledEndpoint(etcd.port);
    const store = await open([endpoint], { username: 'root' }, { etcdPassword: 'rootpw' });
    const { error, tookMs } = await failureOf(store.acquire({ attributes }));
    expect(error).toMatchObject({ reason: 'timeout' });
    expect(error.message).toContain(endpoint);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('is watched on after it was started again and knows the token no more', async () => {
    const store = await open([etcd.endpoint], { username: 'root' }, { etcdPassword: 'rootpw', timeoutMs: 5000 });
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await etcd.kill();
    await etcd.restart();
    await store.acquire({ attributes: { ...attributes, publicIp: '192.0.2.2' } });
    await watch.until((events) => countOf(events, 'put') === 1);
    await watch.end();
  });
});

describe('an etcd whose tokens live for one second', () => {
  let etcd: EtcdServer;
  let files: TlsFiles;
  beforeAll(async () => {
    files = await makeTlsFiles();
    const keys = `pub-key=${files.tokenPublicKey},priv-key=${files.tokenKey}`;
    etcd = await startEtcd({ flags: ['--auth-token', `jwt,${keys},sign-method=RS256,ttl=1s`] });
    await etcd.ctl('user', 'add', 'root:rootpw');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    await etcd.ctl('auth', 'enable');
  });
  afterAll(async () => {
    await etcd.stop();
    await files.remove();
  });
  const openAsRoot = () => open([etcd.endpoint], { username: 'root' }, { etcdPassword: 'rootpw', timeoutMs: 5000 });

  test('is read and written all the same after they have run out', async () => {
    const store = await openAsRoot();
    const { modRevision } = await store.writeNetworkConfig('{}', null);
    await sleep(1600);
    await store.writeNetworkConfig('{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}', modRevision);
    await expect(store.listLeases()).resolves.toMatchObject({ records: [] });
  });

  test('is asked for one new token by a hundred calls at once', async () => {
    const store = await openAsRoot();
    await Promise.all(Array.from({ length: 100 }, () => store.listLeases()));
    await sleep(1600);
    const start = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => store.listLeases()));
    // a password takes etcd some 70 ms to check
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('is watched on after they have run out and the connection was lost', async () => {
    const proxy = await startProxy(etcd.port);
    proxies.push(proxy);
    const url = `http://127.0.0.1:${proxy.port}`;
    const watched = await open([url], { username: 'root' }, { etcdPassword: 'rootpw' });
    const watch = watching(watched);
    await watch.until((events) => events.length === 1);
    await sleep(1600);
    proxy.cut();
    await watch.until(() => watch.interruptions.length > 0);
    await (await openAsRoot()).acquire({ attributes });
    await watch.until((events) => countOf(events, 'put') === 1);
    await watch.end();
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

  test('is read with the CA and the client certificate', async () => {
    const store = await open([etcd.endpoint], files);
    await expect(store.listLeases()).resolves.toMatchObject({ records: [] });
  });

  test('is not believed with another CA', async () => {
    const store = await open([etcd.endpoint], { ...files, caFile: files.otherCaFile });
    const { error, tookMs } = await failureOf(store.listLeases());
    expect(error).toMatchObject({ reason: 'unreachable' });
    expect(error.message).toBe(`etcd ${etcd.endpoint} TLS: its certificate is not signed by the CA given`);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('says that it wants a client certificate', async () => {
    const store = await open([etcd.endpoint], { caFile: files.caFile });
    const { error, tookMs } = await failureOf(store.listLeases());
    expect(error.message).toBe(`etcd ${etcd.endpoint} TLS: it refuses our client certificate, or wants one`);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('is not taken for silent when it is spoken to without TLS', async () => {
    const endpoint = etcd.endpoint.replace('https', 'http');
    const { error, tookMs } = await failureOf((await open([endpoint])).listLeases());
    expect(error).toMatchObject({ reason: 'unreachable' });
    expect(error.message).toContain(endpoint);
    expect(tookMs).toBeLessThan(TIMEOUT_MS);
  });

  test('is watched through TLS', async () => {
    const store = await open([etcd.endpoint], files);
    await store.writeNetworkConfig('{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}', null);
    const watch = watching(store);
    await watch.until((events) => events.length === 1);
    await store.acquire({ attributes });
    await watch.until((events) => countOf(events, 'put') === 1);
    await watch.end();
  });

  test('needs its TLS files to be there', async () => {
    await expect(open([etcd.endpoint], { caFile: '/nonexistent/ca.pem' })).rejects.toMatchObject({ code: 'absent' });
  });
});

describe('an etcd with TLS that asks for no client certificate', () => {
  let etcd: EtcdServer;
  let files: TlsFiles;
  beforeAll(async () => {
    files = await makeTlsFiles();
    etcd = await startEtcd({ tls: { ...files, clientCertAuth: false } });
  });
  afterAll(async () => {
    await etcd.stop();
    await files.remove();
  });

  test('is read and written with the CA alone', async () => {
    const store = await open([etcd.endpoint], { caFile: files.caFile });
    await store.writeNetworkConfig('{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}', null);
    const lease = await store.acquire({ attributes });
    await store.renew(lease, lease.attributes);
    await expect(store.listLeases()).resolves.toMatchObject({ records: [{ key: lease.key }] });
  });
});
