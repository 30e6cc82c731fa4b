import { describe, expect, it } from 'vitest';
import { refuseOwner } from '../../src/agent/owner.ts';
import { takeOver } from '../../src/agent/takeover.ts';
import type { FlannelctlError } from '../../src/errors.ts';
import { done, fakeNode, hostRunning } from './fake-node.ts';

const FLANNELD_UNIT = '[Service]\nType=notify\nExecStart=/opt/bin/flanneld --ip-masq\n';

interface Scene {
  readonly argv?: string;
  readonly cgroup?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** What systemd says is the main process of any unit. */
  readonly mainPid?: number;
  /** When any file was written, epoch ms; the process started in 2026. */
  readonly modifiedAt?: number;
  /** Outcome of systemctl stop. */
  readonly stop?: { readonly exitCode: number; readonly stderr: string };
}

/** A node on which pid 77 runs, and ends when it is stopped. */
function scene(parts: Scene) {
  const { argv = '/opt/bin/flanneld --ip-masq', cgroup = '/init.scope', files = {} } = parts;
  const { mainPid = 1, modifiedAt = 0, stop } = parts;
  let isThere = true;
  const done77: string[] = [];
  const running = hostRunning(argv, { '/proc/77/cgroup': `0::${cgroup}\n`, ...files });
  const node = fakeNode({
    host: {
      ...running,
      readDir: async (path) => (path !== '/proc' ? [] : isThere ? ['1', '77'] : ['1']),
      exec: async (argv) => done(argv.join(' ').startsWith('systemctl show') ? `${mainPid}\n` : ''),
      identity: async () => ({ hostname: 'n1', kernel: '', os: '', arch: '', uid: 0 }),
      stat: async () => ({ type: 'file', sizeBytes: 1, modifiedAt, mode: 0o644 }),
    },
    writer: {
      signal: async (pid, signal) => {
        done77.push(`${signal} ${pid}`);
        isThere = false;
      },
      run: async (argv) => {
        done77.push(argv.join(' '));
        if (stop !== undefined) return { stdout: '', ...stop };
        isThere = false;
        return done();
      },
    },
  });
  return { ...node, done: done77 };
}

const failing = (work: Promise<unknown>): Promise<FlannelctlError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );

describe('taking over', () => {
  it('does nothing where nobody owns the overlay', async () => {
    const { board, done } = scene({ argv: '/usr/bin/kubelet' });
    await takeOver(board.parts);
    expect(done).toEqual([]);
  });

  it('stops the unit of flanneld, not the process, so that it stays stopped', async () => {
    const files = { '/etc/systemd/system/flanneld.service': FLANNELD_UNIT };
    const { board, done } = scene({ cgroup: '/system.slice/flanneld.service', files });
    await takeOver(board.parts);
    expect(done).toEqual(['systemctl stop flanneld.service']);
  });

  it('stops a unit that starts it through a script, when it is its main process', async () => {
    const { board, done } = scene({ cgroup: '/system.slice/overlay.service', mainPid: 77 });
    await takeOver(board.parts);
    expect(done).toEqual(['systemctl stop overlay.service']);
  });

  it.each([
    '/system.slice/ssh.service',
    '/user.slice/user-0.slice/user@0.service/app.slice',
    '/system.slice/cron.service',
  ])('never stops a unit that flanneld merely runs in: %s', async (cgroup) => {
    const { board, done } = scene({ cgroup });
    await takeOver(board.parts);
    expect(done).toEqual(['SIGTERM 77']);
  });

  it('ends a bare process by SIGTERM', async () => {
    const { board, done, log } = scene({});
    await takeOver(board.parts);
    expect(done).toEqual(['SIGTERM 77']);
    expect(log[0]).toContain('taking over flanneld 77');
  });

  it('says what systemctl said when the unit cannot be stopped', async () => {
    const files = { '/etc/systemd/system/flanneld.service': FLANNELD_UNIT };
    const stop = { exitCode: 1, stderr: 'Failed to stop flanneld.service: Access denied\n' };
    const { board } = scene({ cgroup: '/system.slice/flanneld.service', files, stop });
    const { exitCode, message } = await failing(takeOver(board.parts));
    expect([exitCode, message]).toEqual([75, expect.stringContaining('Access denied')]);
  });

  it('gives up on an owner that does not go within twenty seconds', async () => {
    const { board, clock } = scene({
      cgroup: '/system.slice/overlay.service',
      mainPid: 77,
      stop: { exitCode: 0, stderr: '' },
    });
    const outcome = failing(takeOver(board.parts));
    await clock.advance(20_200);
    expect(await outcome).toMatchObject({ exitCode: 75, message: 'flanneld (pid 77) runs here and owns the overlay' });
  });
});

describe('an owner that is not stopped for it', () => {
  it.each<[string, Scene, RegExp]>([
    [
      "a DaemonSet's pod",
      { cgroup: '/kubepods.slice/kubepods-burstable.slice/cri-containerd-1.scope' },
      /^Take this node out of it first: kubectl -n kube-flannel patch daemonset kube-flannel-ds .*"NotIn","values":\["n1"\]/,
    ],
    [
      'a k3s server',
      { argv: '/usr/local/bin/k3s server', cgroup: '/system.slice/k3s.service' },
      /flannel-backend: none.*then on this node: systemctl restart k3s\.service$/,
    ],
    [
      'a k3s agent',
      {
        argv: '/usr/local/bin/k3s agent',
        cgroup: '/system.slice/k3s-agent.service',
        files: { '/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json': '{}' },
      },
      /rm \S+\/net-conf\.json; systemctl restart k3s-agent\.service$/,
    ],
    [
      'rke2',
      { argv: '/usr/local/bin/rke2 server', cgroup: '/system.slice/rke2-server.service' },
      /rke2-canal.*"cni: none".*systemctl restart rke2-server\.service$/,
    ],
  ])('is %s: exit 75 with the way out, and nothing is done', async (_what, parts, hint) => {
    const { board, done } = scene(parts);
    const error = await failing(takeOver(board.parts));
    expect([error.exitCode, done]).toEqual([75, []]);
    expect(error.hint).toMatch(hint);
    expect((await failing(refuseOwner(board.parts.host))).hint).toMatch(hint);
  });
});

describe('k3s and rke2 that leave the network to others', () => {
  const K3S = '/etc/rancher/k3s/config.yaml';
  const RKE2 = '/etc/rancher/rke2/config.yaml';

  it.each<[string, Scene]>([
    ['k3s with --flannel-backend=none', { argv: '/usr/local/bin/k3s server --flannel-backend=none' }],
    ['k3s with --flannel-backend none', { argv: '/usr/local/bin/k3s server --flannel-backend none' }],
    ['k3s by its configuration', { argv: '/usr/local/bin/k3s server', files: { [K3S]: 'flannel-backend: none\n' } }],
    [
      'k3s by its unit, when it wrote its title over its arguments',
      {
        argv: '/usr/local/bin/k3s server',
        cgroup: '/system.slice/k3s.service',
        files: {
          '/etc/systemd/system/k3s.service': '[Service]\nExecStart=/usr/local/bin/k3s server --flannel-backend=none\n',
        },
      },
    ],
    ['another command of k3s', { argv: 'k3s kubectl get pods --watch' }],
    ['rke2 with --cni cilium', { argv: '/usr/local/bin/rke2 server --cni cilium' }],
    ['rke2 by its configuration', { argv: '/usr/local/bin/rke2 agent', files: { [RKE2]: 'cni: none\n' } }],
    ['rke2 with several', { argv: '/usr/local/bin/rke2 server', files: { [RKE2]: 'cni:\n  - multus\n  - calico\n' } }],
  ])('own nothing: %s', async (_what, parts) => {
    const { board } = scene(parts);
    await refuseOwner(board.parts.host);
  });

  it.each<[string, Scene]>([
    ['another backend', { argv: '/usr/local/bin/k3s server --flannel-backend=wireguard-native' }],
    ['a configuration that cannot be read', { argv: '/usr/local/bin/k3s server', files: { [K3S]: 'a: [' } }],
    ['canal beside another', { argv: '/usr/local/bin/rke2 server --cni multus,canal' }],
    ['nothing said at all', { argv: '/usr/local/bin/rke2 server' }],
  ])('are told from those that do not: %s', async (_what, parts) => {
    const { board } = scene(parts);
    expect((await failing(refuseOwner(board.parts.host))).exitCode).toBe(75);
  });

  it('are not believed when the configuration was written after they started', async () => {
    const files = { [K3S]: 'flannel-backend: none\n' };
    const { board } = scene({ argv: '/usr/local/bin/k3s server', files, modifiedAt: 2_000_000_000_000 });
    const error = await failing(refuseOwner(board.parts.host));
    expect(error.message).toContain('k3s (pid 77) runs here');
  });
});
