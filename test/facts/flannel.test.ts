import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { GivenOptions } from '../../src/facts/fact.ts';
import { flannelFact } from '../../src/facts/flannel.ts';
import { recordedHost as replayHost } from '../../src/host/recorded.ts';
import { openRecording, recordHost, startRecording } from '../../src/host/recording.ts';
import { collect, observe, secretBox } from '../support/collect.ts';
import { forbidden, type RecordedParts, recordedHost } from '../support/recorded.ts';
import { ELSEWHERE, type ProcessParts, procWith } from '../support/recorded-process.ts';

const IP_ADDR = 'ip -j -d -s addr';
const NO_LINKS = { [IP_ADDR]: '[]' };
const FLANNEL_LINKS = {
  [IP_ADDR]: await readFile(new URL('./recorded/ip-addr.json', import.meta.url), 'utf8'),
};

interface Scene {
  readonly processes?: readonly ProcessParts[];
  readonly files?: NonNullable<RecordedParts['files']>;
  readonly dirs?: NonNullable<RecordedParts['dirs']>;
  readonly commands?: NonNullable<RecordedParts['commands']>;
  readonly given?: Partial<GivenOptions>;
}

function partsOf({ processes = [], files = {}, dirs = {}, commands = NO_LINKS, given = {} }: Scene) {
  const proc = procWith(...processes);
  return { host: recordedHost({ ...proc, files: { ...proc.files, ...files }, dirs, commands }), given };
}

function install(scene: Scene) {
  return collect(flannelFact, partsOf(scene));
}

const ETCD = { kind: 'etcd', keyFile: '', certFile: '', caFile: '', username: '' };
const GIVEN_ETCD = { flannel: { etcdEndpoints: ['http://mine:2379'] }, namesDatastore: true };

describe('a flanneld started by hand', () => {
  const process = { pid: 812, argv: ['./flanneld', '-etcd-endpoints=http://10.0.0.1:2379', '-etcd-prefix', '/a/'] };

  it('is a bare process with the datastore of its flags', async () => {
    expect(await install({ processes: [process] })).toMatchObject({
      deployment: 'process',
      process: { pid: 812, name: 'flanneld', state: 'S' },
      subnetManager: 'etcd',
      datastore: { ...ETCD, endpoints: ['http://10.0.0.1:2379'], prefix: '/a' },
      optionsSource: 'command line of flanneld (pid 812)',
      unit: null,
    });
  });

  it('takes its command line over its environment', async () => {
    const environment = { FLANNELD_ETCD_PREFIX: '/b', FLANNELD_IP_MASQ: 'true' };
    expect(await install({ processes: [{ ...process, environment }] })).toMatchObject({
      options: { etcdPrefix: '/a/', ipMasq: true },
      optionsSource: 'command line and environment of flanneld (pid 812)',
    });
  });

  it("really uses flannel's defaults when it was told nothing", async () => {
    expect(await install({ processes: [{ pid: 812, argv: ['flanneld'] }] })).toMatchObject({
      datastore: { endpoints: ['http://127.0.0.1:4001', 'http://127.0.0.1:2379'], prefix: '/coreos.com/network' },
    });
  });

  it('keeps its datastore in a file where its endpoint is one', async () => {
    const argv = ['sh', '/usr/bin/flanneld', '--etcd-endpoints=file:///var/lib/leases.json'];
    expect(await install({ processes: [{ pid: 812, argv }] })).toMatchObject({
      datastore: { kind: 'file', path: '/var/lib/leases.json' },
    });
  });

  it('is no service because the shell it was started from belongs to one', async () => {
    const files = { '/lib/systemd/system/ssh.service': '[Service]\nExecStart=/usr/sbin/sshd -D\n' };
    expect(await install({ processes: [{ ...process, cgroup: '/system.slice/ssh.service' }], files })).toMatchObject({
      deployment: 'process',
      unit: null,
    });
  });

  it('is read where process 1 hides its namespaces from root', async () => {
    const parts = procWith(process);
    const links = { ...parts.links, '/proc/1/ns/mnt': forbidden('/proc/1/ns/mnt') };
    const host = recordedHost({ ...parts, links, commands: NO_LINKS });
    expect(await collect(flannelFact, { host })).toMatchObject({ deployment: 'process' });
  });

  it('hands its password over without showing it', async () => {
    const secrets = secretBox();
    const argv = ['flanneld', '--etcd-username=root', '--etcd-password=hunter2'];
    const found = await collect(flannelFact, { ...partsOf({ processes: [{ pid: 812, argv }] }), secrets });
    expect([secrets.secrets(), JSON.stringify(found).includes('hunter2')]).toEqual([
      { etcdPassword: 'hunter2' },
      false,
    ]);
  });

  it('does not replace a password that the user gave', async () => {
    const secrets = secretBox({ etcdPassword: 'given' });
    const argv = ['flanneld', '--etcd-password=hunter2'];
    await collect(flannelFact, { ...partsOf({ processes: [{ pid: 812, argv }] }), secrets });
    expect(secrets.secrets()).toEqual({ etcdPassword: 'given' });
  });
});

describe('a flanneld under systemd', () => {
  const UNIT =
    '[Service]\nEnvironmentFile=-/etc/default/flanneld\nExecStart=/usr/bin/flanneld --ip-masq $FLANNEL_OPTIONS\n';
  const files = {
    '/etc/systemd/system/flanneld.service': UNIT,
    '/etc/default/flanneld':
      'FLANNELD_ETCD_ENDPOINTS="https://10.0.0.1:2379,https://10.0.0.2:2379"\nFLANNEL_OPTIONS=--iface=eth1\n',
  };

  it('is named by its unit', async () => {
    const process = { pid: 812, argv: ['/usr/bin/flanneld'], cgroup: '/system.slice/flanneld.service' };
    expect(await install({ processes: [process], files })).toMatchObject({
      deployment: 'systemd',
      unit: 'flanneld.service',
    });
  });

  it('is known by its unit and environment file when it does not run', async () => {
    expect(await install({ files })).toMatchObject({
      deployment: 'systemd',
      process: null,
      unit: 'flanneld.service',
      datastore: { endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'] },
      options: { ipMasq: true, iface: ['eth1'] },
      optionsSource: 'flanneld.service',
    });
  });

  it('is known by a unit of another name, with the drop-in that changes it', async () => {
    const directory = '/usr/lib/systemd/system';
    const scene = {
      [`${directory}/overlay.service`]: '[Service]\nExecStart=/opt/flanneld --public-ip=10.0.0.9\n',
      '/etc/systemd/system/overlay.service.d/10.conf':
        '[Service]\nExecStart=\nExecStart=/opt/flanneld --public-ip=10.0.0.1\n',
    };
    expect(await install({ files: scene })).toMatchObject({
      unit: 'overlay.service',
      options: { publicIp: '10.0.0.1' },
    });
  });

  it('is known where a shell or the script of a package starts it', async () => {
    const scene = {
      '/lib/systemd/system/flanneld.service':
        '[Service]\nEnvironmentFile=/etc/sysconfig/flanneld\nExecStart=/usr/bin/flanneld-start $FLANNEL_OPTIONS\n',
      '/etc/sysconfig/flanneld':
        'FLANNEL_ETCD_ENDPOINTS="http://10.0.0.7:2379"\nFLANNEL_ETCD_PREFIX="/atomic.io/network"\n',
    };
    expect(await install({ files: scene })).toMatchObject({
      datastore: { endpoints: ['http://10.0.0.7:2379'], prefix: '/atomic.io/network' },
    });
  });

  it('is not known by a masked unit', async () => {
    const scene = { ...files, '/usr/lib/systemd/system/flanneld.service': UNIT };
    const masked = { ...scene, '/etc/systemd/system/flanneld.service': '' };
    expect(await install({ files: masked })).toMatchObject({ deployment: 'none' });
  });

  it('is unknown, not absent, when its environment file may not be read', async () => {
    const path = '/etc/default/flanneld';
    expect(await observe(flannelFact, partsOf({ files: { ...files, [path]: forbidden(path) } }))).toMatchObject({
      status: 'unknown',
      reason: 'permission',
    });
  });
});

describe("a DaemonSet's flanneld", () => {
  const process: ProcessParts = {
    pid: 4242,
    argv: ['/opt/bin/flanneld', '--ip-masq', '--kube-subnet-mgr', '--healthz-port=8081'],
    cgroup: '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-2.scope',
    environment: { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443', NODE_NAME: 'worker-1' },
    mnt: 'mnt:[4026533333]',
  };

  it('uses the API as its service account, and files of its container', async () => {
    expect(await install({ processes: [process] })).toMatchObject({
      deployment: 'daemonset',
      subnetManager: 'kube',
      datastore: {
        kind: 'kube',
        apiUrl: 'https://10.96.0.1:443',
        serviceAccountDir: '/proc/4242/root/var/run/secrets/kubernetes.io/serviceaccount',
        netConfigPath: '/proc/4242/root/etc/kube-flannel/net-conf.json',
      },
      options: { netConfigPath: '/etc/kube-flannel/net-conf.json', healthzPort: 8081 },
    });
  });

  it("belongs to rke2 where rke2 runs (canal's pod)", async () => {
    const rke2 = { pid: 700, argv: ['/usr/local/bin/rke2 agent'], comm: 'rke2' };
    expect(await install({ processes: [rke2, process] })).toMatchObject({ deployment: 'rke2', process: { pid: 4242 } });
  });

  it('gives way to a kubeconfig of the user', async () => {
    const given = { flannel: { kubeconfigFile: '/root/.kube/config' }, namesDatastore: true };
    expect((await install({ processes: [process], given })).datastore).toMatchObject({
      kind: 'kube',
      apiUrl: '',
      kubeconfigFile: '/root/.kube/config',
    });
  });

  it('is known by the logs of its pod when it does not run', async () => {
    const path =
      '/var/log/pods/kube-flannel_kube-flannel-ds-8x2kd_0c1f4b1e-9d55-4a5e-9f3b-3f7d1b7a9c11/kube-flannel/0.log';
    const files = { [path]: '', '/etc/kubernetes/kubelet.conf': '' };
    expect(await install({ files })).toMatchObject({
      deployment: 'daemonset',
      process: null,
      datastore: { kind: 'kube', kubeconfigFile: '/etc/kubernetes/kubelet.conf' },
      optionsSource: 'logs of pod kube-flannel/kube-flannel-ds-8x2kd',
    });
  });
});

describe('flannel inside k3s', () => {
  const server: ProcessParts = {
    pid: 900,
    argv: ['/usr/local/bin/k3s server', '', ''],
    comm: 'k3s-server',
    cgroup: '/system.slice/k3s.service',
  };
  const agent: ProcessParts = { ...server, argv: ['/usr/local/bin/k3s agent'], comm: 'k3s-agent' };
  const NET_CONF = '/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json';

  it("has k3s's own paths", async () => {
    expect(await install({ processes: [server] })).toMatchObject({
      deployment: 'k3s',
      process: { pid: 900, name: 'k3s' },
      subnetManager: 'kube',
      datastore: {
        kind: 'kube',
        kubeconfigFile: '/var/lib/rancher/k3s/agent/kubelet.kubeconfig',
        netConfigPath: NET_CONF,
      },
      options: { ipMasq: true, subnetFile: '/run/flannel/subnet.env' },
    });
  });

  it('takes the interface and the external address of its configuration', async () => {
    const files = {
      '/etc/rancher/k3s/config.yaml': 'flannel-iface: eth1\nflannel-external-ip: true\nnode-external-ip: 203.0.113.7\n',
    };
    expect(await install({ processes: [server], files })).toMatchObject({
      options: { iface: ['eth1'], publicIp: '203.0.113.7' },
    });
  });

  it('takes the flags of its unit over its configuration', async () => {
    const files = {
      '/etc/systemd/system/k3s.service':
        "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--flannel-iface=eth2' \\\n\t'--data-dir' \\\n\t'/data' \\\n\n",
      '/etc/rancher/k3s/config.yaml': 'flannel-iface: eth1\n',
    };
    expect(await install({ processes: [server], files })).toMatchObject({
      unit: 'k3s.service',
      options: { iface: ['eth2'], netConfigPath: '/data/agent/etc/flannel/net-conf.json' },
    });
  });

  it('is none where the backend is switched off', async () => {
    const files = { '/etc/rancher/k3s/config.yaml': 'flannel-backend: none\n' };
    expect(await install({ processes: [server], files })).toMatchObject({ deployment: 'none', datastore: null });
  });

  it("runs on an agent that got its server's network configuration", async () => {
    expect(await install({ processes: [agent], files: { [NET_CONF]: '{}' } })).toMatchObject({ deployment: 'k3s' });
  });

  it('does not run on an agent without one', async () => {
    expect(await install({ processes: [agent] })).toMatchObject({ deployment: 'none' });
  });

  it('is known by its unit when k3s does not run', async () => {
    const files = { '/etc/systemd/system/k3s.service': '[Service]\nExecStart=/usr/local/bin/k3s server\n' };
    expect(await install({ files })).toMatchObject({ deployment: 'k3s', process: null, unit: 'k3s.service' });
  });

  it('is not blamed for a configuration that is no YAML', async () => {
    const files = { '/etc/rancher/k3s/config.yaml': 'a: [\n' };
    expect(await observe(flannelFact, partsOf({ processes: [server], files }))).toMatchObject({
      status: 'unknown',
      reason: 'malformed',
    });
  });
});

describe('our own agent', () => {
  it('owns the overlay while it runs', async () => {
    const argv = ['/usr/bin/flannelctl', 'up', '--etcd-endpoints=http://10.0.0.1:2379'];
    const process = { pid: 77, argv, cgroup: '/system.slice/flannelctl.service' };
    expect(await install({ processes: [process] })).toMatchObject({
      deployment: 'flannelctl',
      process: { name: 'flannelctl' },
      unit: 'flannelctl.service',
      datastore: { endpoints: ['http://10.0.0.1:2379'] },
    });
  });

  it.each([[['flannelctl', 'doctor']], [['flannelctl', 'up', '--once']], [['flannelctl', 'up', '--dry-run']]])(
    'is not %j',
    async (argv) => {
      expect(await install({ processes: [{ pid: 77, argv }] })).toMatchObject({ deployment: 'none' });
    },
  );
});

describe('a host where flannel does not run', () => {
  it('shows traces, and not which datastore', async () => {
    const files = {
      '/run/flannel/subnet.env': 'FLANNEL_MTU=1450\n',
      '/etc/cni/net.d/10-flannel.conflist': '{"plugins": [{"type": "flannel"}]}',
      '/etc/cni/net.d/87-podman.conflist': '{"plugins": [{"type": "bridge"}]}',
    };
    expect(await install({ files, commands: FLANNEL_LINKS })).toMatchObject({
      deployment: 'none',
      process: null,
      datastore: null,
      subnetManager: 'unknown',
      optionsSource: 'nothing says which datastore',
      traces: ['flannel.1', '/run/flannel/subnet.env', '/etc/cni/net.d/10-flannel.conflist'],
    });
  });

  it('may show no trace at all', async () => {
    expect(await install({})).toMatchObject({ deployment: 'none', datastore: null, traces: [] });
  });

  it('takes the datastore that the user names', async () => {
    expect(await install({ given: GIVEN_ETCD })).toMatchObject({
      deployment: 'none',
      datastore: { endpoints: ['http://mine:2379'] },
      optionsSource: 'flags of flannelctl',
    });
  });

  it('takes Kubernetes where the user names nothing but a kubeconfig', async () => {
    const given = { flannel: { kubeconfigFile: '/root/.kube/config' }, namesDatastore: true };
    expect(await install({ given })).toMatchObject({ subnetManager: 'kube' });
  });

  it('may have one in another network namespace', async () => {
    const process = { pid: 812, argv: ['flanneld'], net: ELSEWHERE };
    expect(await install({ processes: [process] })).toMatchObject({ deployment: 'none', process: null });
  });

  it('is not said to be without flannel when its traces may not be looked for', async () => {
    const dirs = { '/etc/cni/net.d': forbidden('/etc/cni/net.d') };
    expect(await observe(flannelFact, partsOf({ dirs }))).toMatchObject({ status: 'unknown', reason: 'permission' });
  });

  it('shows the traces that could be looked for beside one that could not', async () => {
    const dirs = { '/etc/cni/net.d': forbidden('/etc/cni/net.d') };
    expect(await install({ dirs, commands: FLANNEL_LINKS })).toMatchObject({ traces: ['flannel.1'] });
  });
});

describe('flags of the user', () => {
  it('win field by field', async () => {
    const process = { pid: 812, argv: ['flanneld', '--etcd-prefix=/a', '--iface=eth0'] };
    expect(await install({ processes: [process], given: GIVEN_ETCD })).toMatchObject({
      datastore: { endpoints: ['http://mine:2379'], prefix: '/a' },
      options: { iface: ['eth0'] },
      optionsSource: 'flags of flannelctl, then command line of flanneld (pid 812)',
    });
  });

  it('mean etcd when they name etcd, though flanneld uses Kubernetes', async () => {
    const process = { pid: 812, argv: ['flanneld', '--kube-subnet-mgr'] };
    expect(await install({ processes: [process], given: GIVEN_ETCD })).toMatchObject({ subnetManager: 'etcd' });
  });

  it('leave etcd alone when they only add a kubeconfig', async () => {
    const process = { pid: 812, argv: ['flanneld', '--etcd-endpoints=http://a:1'] };
    const given = { flannel: { kubeconfigFile: '/root/.kube/config' }, namesDatastore: true };
    expect(await install({ processes: [process], given })).toMatchObject({ subnetManager: 'etcd' });
  });
});

describe('a user without rights', () => {
  it('does not learn whether flannel runs', async () => {
    const process = { pid: 812, argv: ['flanneld'], net: forbidden('/proc/812/ns/net') };
    expect(await observe(flannelFact, partsOf({ processes: [process] }))).toMatchObject({
      status: 'unknown',
      reason: 'permission',
    });
  });
});

describe('a recorded run', () => {
  it('replays to the identical value', async () => {
    const argv = ['flanneld', '--etcd-prefix=/a', '--etcd-password=hunter2'];
    const { host } = partsOf({
      processes: [
        { pid: 812, argv },
        { pid: 9, argv: ['bash'] },
      ],
      commands: FLANNEL_LINKS,
    });
    const recording = startRecording(0);
    const first = await collect(flannelFact, { host: recordHost(host, recording) });
    const replayed = openRecording(JSON.stringify(recording));
    expect(await collect(flannelFact, { host: replayHost(replayed) })).toEqual(first);
  });
});
