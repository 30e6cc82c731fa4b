import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface EtcdTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** Clients need a certificate of that CA. */
  readonly clientCertAuth: boolean;
}

export interface EtcdServer {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly port: number;
  /** Runs etcdctl (v3) against it. */
  ctl(...args: readonly string[]): Promise<string>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

const CTL_ENV = { PATH: process.env['PATH'] ?? '', ETCDCTL_API: '3' };

/** A real etcd of its own on a free port of the loopback, with data that go when it stops. */
export async function startEtcd(tls?: EtcdTls): Promise<EtcdServer> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const scheme = tls === undefined ? 'http' : 'https';
  const endpoint = `${scheme}://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const args = [
    ...['--name', 'test', '--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `test=${peer}`],
    ...(tls === undefined ? [] : ['--cert-file', tls.certFile, '--key-file', tls.keyFile]),
    ...(tls?.clientCertAuth ? ['--client-cert-auth', '--trusted-ca-file', tls.caFile] : []),
  ];
  const child = spawn('etcd', args, { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '' } });
  const ctl = (...more: readonly string[]) => runEtcdctl(endpoint, tls, more);
  await untilHealthy(child, ctl);
  return {
    endpoint,
    port,
    ctl,
    stop: async () => {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that nothing listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function runEtcdctl(endpoint: string, tls: EtcdTls | undefined, more: readonly string[]): Promise<string> {
  const secure = tls === undefined ? [] : ['--cacert', tls.caFile, '--cert', tls.certFile, '--key', tls.keyFile];
  const args = ['--endpoints', endpoint, '--dial-timeout', '2s', ...secure, ...more];
  return (await promisify(execFile)('etcdctl', args, { env: CTL_ENV, timeout: 10_000 })).stdout;
}

async function untilHealthy(child: ChildProcess, ctl: EtcdServer['ctl']): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  for (;;) {
    try {
      await ctl('endpoint', 'health');
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
