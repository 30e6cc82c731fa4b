import { describe, expect, it } from 'vitest';
import { AbsentError, ConflictError, UnavailableError } from '../../src/errors.ts';
import { recordedHost as hostOf, recordedPort } from '../../src/host/recorded.ts';
import { openRecording, recordCall, recordHost, recordPort, startRecording } from '../../src/host/recording.ts';
import { withoutSecrets } from '../../src/host/recording-mask.ts';
import { recordedHost } from '../support/recorded.ts';

/** What a bundle does: the recording goes through JSON. */
function throughJson(recording: unknown) {
  return openRecording(JSON.stringify(recording));
}

describe('a recorded port', () => {
  it('answers as the real one did, in order, and the last answer for ever', async () => {
    const answers = [1, 2, 3];
    const recording = startRecording(0);
    const port = recordPort('counter', { next: async () => answers.shift() }, recording);
    for (let calls = 0; calls < 3; calls += 1) await port.next();
    const replayed = recordedPort<typeof port>('counter', throughJson(recording));
    expect([await replayed.next(), await replayed.next(), await replayed.next(), await replayed.next()]).toEqual([
      1, 2, 3, 3,
    ]);
  });

  it('tells calls apart by their arguments', async () => {
    const recording = startRecording(0);
    const port = recordPort('echo', { say: async (word: string) => word }, recording);
    await Promise.all([port.say('a'), port.say('b')]);
    expect(await recordedPort<typeof port>('echo', throughJson(recording)).say('b')).toBe('b');
  });

  it.each([
    new AbsentError('nothing there', { hint: 'Make it.' }),
    new ConflictError('somebody else'),
    new UnavailableError('permission', 'may not', { hint: 'Run it as root.' }),
  ])('fails as the real one did: $name', async (error) => {
    const recording = startRecording(0);
    const port = recordPort('port', { get: async () => Promise.reject(error) }, recording);
    await port.get().catch((thrown: unknown) => thrown);
    const { message, hint, code } = error;
    await expect(recordedPort<typeof port>('port', throughJson(recording)).get()).rejects.toMatchObject({
      message,
      hint,
      code,
    });
  });

  it('repeats a bug as a bug', async () => {
    const recording = startRecording(0);
    const port = recordPort('port', { get: async () => Promise.reject(new TypeError('x is undefined')) }, recording);
    await port.get().catch((thrown: unknown) => thrown);
    const again = await recordedPort<typeof port>('port', throughJson(recording))
      .get()
      .catch((thrown: unknown) => thrown);
    expect([again instanceof UnavailableError, again instanceof Error]).toEqual([false, true]);
  });

  it('rejects what nobody recorded', async () => {
    const port = recordedPort<{ get(key: string): Promise<string> }>('port', startRecording(0));
    await expect(port.get('a')).rejects.toMatchObject({
      reason: 'unsupported',
      message: 'not recorded: port.get("a")',
    });
  });

  it('has the properties of the real one', async () => {
    const recording = startRecording(0);
    const store = recordPort('store', { kind: 'etcd', list: async () => [] }, recording);
    expect(store.kind).toBe('etcd');
    expect(recordedPort<typeof store>('store', throughJson(recording)).kind).toBe('etcd');
  });

  it('can be awaited', async () => {
    const port = recordedPort<{ get(): Promise<string> }>('port', startRecording(0));
    expect(await Promise.resolve(port)).toBe(port);
  });

  it('is not changed by who got its answer', async () => {
    const recording = startRecording(0);
    const port = recordPort('port', { get: async () => ({ list: [1] }) }, recording);
    (await port.get()).list.push(2);
    expect(await recordedPort<typeof port>('port', throughJson(recording)).get()).toEqual({ list: [1] });
  });

  it('finds an answer that was given under another deadline', async () => {
    const recording = startRecording(0);
    await recordHost(recordedHost({ commands: { 'ip -V': 'ip utility' } }), recording).exec(['ip', '-V'], {
      timeoutMs: 5,
    });
    expect((await hostOf(throughJson(recording)).exec(['ip', '-V'])).stdout).toBe('ip utility');
  });

  it('tells commands apart by their input', async () => {
    const recording = startRecording(0);
    await recordHost(recordedHost({ commands: { cat: 'a' } }), recording).exec(['cat'], { input: 'a' });
    await expect(hostOf(throughJson(recording)).exec(['cat'], { input: 'b' })).rejects.toMatchObject({
      reason: 'unsupported',
    });
  });
});

describe('a call that is no method', () => {
  it('is recorded with what came of it', async () => {
    const recording = startRecording(0);
    const run = async () => Promise.reject(new UnavailableError('unreachable', 'etcd is dead'));
    await recordCall({ recording, key: 'open("etcd")', run }).catch((error: unknown) => error);
    expect(recording.calls).toMatchObject({ 'open("etcd")': [{ status: 'error', error: { reason: 'unreachable' } }] });
  });
});

describe('opening a recording', () => {
  it.each([
    ['no JSON', '{'],
    ['another document', '{"kind": "DoctorReport"}'],
    ['another version', '{"version": 2, "startedAt": 0, "options": {}, "calls": {}}'],
    ['an outcome that is none', '{"version": 1, "startedAt": 0, "options": {}, "calls": {"a": [{"status": "fine"}]}}'],
    [
      'an error of no class',
      '{"version": 1, "startedAt": 0, "options": {}, "calls": {"a": [{"status": "error", "error": {"class": "bad"}}]}}',
    ],
  ])('refuses %s', (_, text) => {
    expect(() => openRecording(text)).toThrow(expect.objectContaining({ exitCode: 65 }));
  });

  it('does not take the names of Object for recorded calls', async () => {
    const port = recordedPort<{ toString(): Promise<string> }>('__proto__', startRecording(0));
    await expect(port.toString()).rejects.toMatchObject({ reason: 'unsupported' });
  });

  it('does not believe an answer of the wrong shape', async () => {
    const calls = { 'host.readFile("/a")': [{ status: 'value', value: 7 }] };
    const host = hostOf(throughJson({ version: 1, startedAt: 0, options: {}, calls }));
    await expect(host.readFile('/a')).rejects.toMatchObject({ reason: 'malformed' });
  });
});

describe('the secrets of a host', () => {
  const SECRET = 'hunter2hunter2';

  it.each([
    ['/proc/9/cmdline', `flanneld\0--etcd-password=${SECRET}\0`],
    ['/proc/9/cmdline', `flanneld\0-etcd-password\0${SECRET}\0`],
    ['/proc/9/cmdline', `mysqld\0--whatever\0${SECRET}\0`],
    ['/proc/9/environ', `FLANNELD_ETCD_PASSWORD=${SECRET}\0AWS_KEY=${SECRET}\0`],
    ['/etc/systemd/system/flanneld.service', `[Service]\nEnvironment=FLANNELD_ETCD_PASSWORD=${SECRET}\nExecStart=/f\n`],
    ['/etc/systemd/system/flanneld.service', `[Service]\nExecStart=/f --etcd-password ${SECRET} --ip-masq\n`],
    ['/etc/default/flanneld', `FLANNELD_ETCD_PASSWORD="${SECRET}"\n`],
    ['/etc/rancher/k3s/config.yaml', `token: ${SECRET}\nflannel-iface: eth1\n`],
    ['/root/.kube/config', `users:\n- user:\n    token: ${SECRET}\n    password: '${SECRET}'\n`],
    ['/etc/etcd/key.pem', `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----\n`],
    ['/etc/kubernetes/kubelet.conf', `    client-key-data: ${SECRET}\n`],
    ['/x.json', `{"bearerToken": "${SECRET}"}`],
    ['/var/run/secrets/kubernetes.io/serviceaccount/token', SECRET],
  ])('are not in the recording of %s', async (path, content) => {
    const recording = startRecording(0);
    expect(await recordHost(recordedHost({ files: { [path]: content } }), recording).readFile(path)).toBe(content);
    expect(JSON.stringify(recording)).not.toContain(SECRET);
  });

  it.each([
    `CLI flags config: {etcdEndpoints:http://a:1 etcdUsername:root etcdPassword:${SECRET} version:false}`,
    `dialing https://root:${SECRET}@10.0.0.1:2379`,
    `Authorization: Bearer ${SECRET}`,
  ])('are not in the recording of a log: %s', async (line) => {
    const recording = startRecording(0);
    await recordHost(recordedHost({ commands: { journalctl: line } }), recording).exec(['journalctl']);
    expect(JSON.stringify(recording)).not.toContain(SECRET);
  });

  it.each([
    ['/run/flannel/subnet.env', 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_IPMASQ=true\n'],
    ['/etc/systemd/system/f.service', '[Service]\nExecStart=/f --etcd-keyfile=/k --etcd-prefix=/p --token-file /t\n'],
    ['/x.json', '{"type": "flannel", "tokens": 3}'],
    ['/proc/9/environ', 'FLANNELD_ETCD_PREFIX=/a\0NODE_NAME=w\0'],
  ])('are not suspected in %s', async (path, content) => {
    const recording = startRecording(0);
    await recordHost(recordedHost({ files: { [path]: content } }), recording).readFile(path);
    expect(await hostOf(recording).readFile(path)).toBe(content);
  });

  it('are taken out wherever they were printed, once they are known', () => {
    const recording = { calls: { [`exec("${SECRET}")`]: [{ value: `said ${SECRET}` }] } };
    expect(JSON.stringify(withoutSecrets(recording, [SECRET]))).not.toContain(SECRET);
  });
});
