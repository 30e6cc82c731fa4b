import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { attributes, closeAll, failureOf, open, PREFIX, stalledEndpoint, TIMEOUT_MS } from '../support/etcd-client.ts';
import { type EtcdServer, startEtcd } from '../support/etcd-server.ts';
import { makeTlsFiles, type TlsFiles } from '../support/tls-files.ts';

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
});

describe('an etcd with TLS', () => {
  let etcd: EtcdServer;
  let files: TlsFiles;
  beforeAll(async () => {
    files = await makeTlsFiles();
    etcd = await startEtcd({ ...files, clientCertAuth: true });
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

  test('needs its TLS files to be there', async () => {
    await expect(open([etcd.endpoint], { caFile: '/nonexistent/ca.pem' })).rejects.toMatchObject({ code: 'absent' });
  });
});
