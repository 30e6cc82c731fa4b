import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tests, demo, build and benchmarks call, and the Debian package it comes from. */
const PACKAGE_OF_PROGRAM = {
  ip: 'iproute2',
  bridge: 'iproute2',
  tc: 'iproute2',
  iptables: 'iptables',
  ip6tables: 'iptables',
  nft: 'nftables',
  ethtool: 'ethtool',
  ping: 'iputils-ping',
  tcpdump: 'tcpdump',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  ps: 'procps',
  sysctl: 'procps',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  strip: 'binutils',
  openssl: 'openssl',
  curl: 'curl',
  'systemd-notify': 'systemd',
  'systemd-analyze': 'systemd',
  faketime: 'faketime',
  iperf3: 'iperf3',
};

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Installs the Debian packages whose programs are missing; says in one sentence what it cannot install, and goes on. */
export function installSystemPackages() {
  const packages = missingPackages();
  if (packages.length === 0) return;
  if (process.getuid() !== 0 || !existsSync('/usr/bin/apt-get')) {
    const why = process.getuid() === 0 ? 'there is no apt-get here' : 'that needs root';
    process.stderr.write(`Not installed, because ${why}: ${packages.join(' ')}. What needs them will fail.\n`);
    return;
  }
  process.stderr.write(`Installing Debian packages: ${packages.join(' ')} …\n`);
  withoutStartingServices(() => aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', ...packages));
  const left = missingPackages();
  if (left.length > 0)
    process.stderr.write(`apt-get could not install ${left.join(' ')}. What needs them will fail.\n`);
}

function missingPackages() {
  const missing = Object.keys(PACKAGE_OF_PROGRAM).filter((program) => !isInstalled(program));
  return [...new Set(missing.map((program) => PACKAGE_OF_PROGRAM[program]))];
}

function isInstalled(program) {
  const folders = [...FOLDERS, ...(process.env.PATH ?? '').split(':')];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** etcd-server would start an etcd on this machine's own ports; a policy of 101 forbids it (Debian's invoke-rc.d). */
function withoutStartingServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

/** True when it worked; quiet, unless it did not. */
function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr } = spawnSync('apt-get', ['-qq', ...args], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) process.stderr.write(stderr);
  return status === 0;
}
