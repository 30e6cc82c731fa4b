import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { etcdProgram } from './etcd-program.ts';
import { freePort } from './free-port.ts';

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
  /** SIGSTOP: the port takes connections, nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL; the data stay. */
  kill(): Promise<void>;
  /** Starts it again where it was, with its data. */
  restart(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

export interface EtcdOptions {
  readonly tls?: EtcdTls | undefined;
  /** More flags of etcd. */
  readonly flags?: readonly string[];
}

const CTL_ENV = { PATH: process.env['PATH'] ?? '', ETCDCTL_API: '3' };

/** A real etcd of its own on a free port of the loopback, with data that go when it stops. */
export async function startEtcd({ tls, flags = [] }: EtcdOptions = {}): Promise<EtcdServer> {
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
    ...flags,
  ];
  const ctl = (...more: readonly string[]) => runEtcdctl(endpoint, tls, more);
  const member = runMember(args);
  await untilHealthy(member, ctl);
  return {
    endpoint,
    port,
    ctl,
    ...member,
    restart: async () => {
      member.start();
      await untilHealthy(member, ctl);
    },
    stop: async () => {
      await member.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One etcd process that may be ended and started again. */
export interface EtcdMember {
  readonly hasEnded: () => boolean;
  /** What the process that runs, or ran last, wrote about errors. */
  readonly errors: () => string;
  start(): void;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
}

export function runMember(args: readonly string[]): EtcdMember {
  let errors = '';
  const launch = () => {
    errors = '';
    const started = spawn(etcdProgram(), args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    started.stderr.on('data', (bytes: Buffer) => {
      errors = `${errors}${bytes}`.slice(-2000);
    });
    return started;
  };
  let child = launch();
  return {
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    errors: () => errors,
    start: () => {
      child = launch();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => ended(child),
  };
}

export async function runEtcdctl(endpoint: string, tls: EtcdTls | undefined, more: readonly string[]): Promise<string> {
  const secure = tls === undefined ? [] : ['--cacert', tls.caFile, '--cert', tls.certFile, '--key', tls.keyFile];
  const args = ['--endpoints', endpoint, '--dial-timeout', '2s', ...secure, ...more];
  return (await promisify(execFile)('etcdctl', args, { env: CTL_ENV, timeout: 10_000 })).stdout;
}

/** @throws what etcd wrote and the last error of etcdctl, when it has ended, or is not healthy after 20 s. */
export async function untilHealthy(member: EtcdMember, ctl: EtcdServer['ctl']): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  for (;;) {
    try {
      await ctl('endpoint', 'health');
      return;
    } catch (error) {
      // it wants a user, and so it is there
      if (String(error).includes('user name is empty')) return;
      if (member.hasEnded() || Date.now() > giveUpAt) {
        throw new Error(`etcd ${member.hasEnded() ? 'has ended' : 'is not healthy'}: ${member.errors()}`, {
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
