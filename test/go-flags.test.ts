import { describe, expect, it } from 'vitest';
import { INTEGER_FLAGS } from '../src/flannel-flags.ts';
import { fromGoEnvironment } from '../src/go-environment.ts';
import { fromGoFlags } from '../src/go-flags.ts';
import { upFlags } from '../src/up-flags.ts';

/** All of flanneld's own (flannel main.go, v0.28), the three of klog that it passes on, and where each is taken. */
const OF_FLANNELD: Readonly<Record<string, 'flag' | 'go' | 'everywhere'>> = {
  'etcd-endpoints': 'flag',
  'etcd-prefix': 'flag',
  'etcd-keyfile': 'flag',
  'etcd-certfile': 'flag',
  'etcd-cafile': 'flag',
  'etcd-username': 'flag',
  'etcd-password': 'flag',
  'kube-subnet-mgr': 'flag',
  'kube-api-url': 'flag',
  'kubeconfig-file': 'flag',
  'kube-annotation-prefix': 'flag',
  'net-config-path': 'flag',
  iface: 'flag',
  'iface-regex': 'flag',
  'iface-can-reach': 'flag',
  'public-ip': 'flag',
  'public-ipv6': 'flag',
  'subnet-file': 'flag',
  'subnet-lease-renew-margin': 'flag',
  'ip-masq': 'flag',
  'ip-masq-fully-random-disable': 'flag',
  'iptables-forward-rules': 'flag',
  'iptables-resync': 'flag',
  'ip-blackhole-route': 'flag',
  'healthz-ip': 'flag',
  'healthz-port': 'flag',
  'set-node-network-unavailable': 'flag',
  version: 'everywhere',
  v: 'go',
  vmodule: 'go',
  log_backtrace_at: 'go',
};

const known = {
  iface: { type: 'option', multiple: true },
  'subnet-file': { type: 'option' },
  'iptables-resync': { type: 'option' },
  'ip-masq': { type: 'boolean', allowNo: true },
  once: { type: 'boolean' },
} as const;
const from = (...argv: readonly string[]) => fromGoFlags(argv, known);

describe('the flags of flanneld', () => {
  const flags: Readonly<Record<string, { readonly env?: string }>> = upFlags;

  it.each(Object.keys(OF_FLANNELD).filter((name) => OF_FLANNELD[name] === 'flag'))(
    '--%s is taken by up, and by its variable',
    (name) => expect(flags[name]?.env).toBe(`FLANNELD_${name.toUpperCase().replaceAll('-', '_')}`),
  );

  it.each(['-v=2', '-vmodule=network=3', '--log_backtrace_at=main.go:1'])('%s of klog is taken', (word) => {
    expect(from(word).every((one) => one === '--verbose')).toBe(true);
  });
});

describe('flags in the syntax of Go', () => {
  it('take one dash or two, and the value beside the flag', () => {
    expect(from('-iface=eth0', '-iface', 'eth1', '--iface=eth2')).toEqual([
      '--iface=eth0',
      '--iface=eth1',
      '--iface=eth2',
    ]);
  });

  it('take a negative number beside the flag for its value, another flag not', () => {
    expect(from('--iptables-resync', '-3')).toEqual(['--iptables-resync=-3']);
    expect(from('--subnet-file', '--once')).toEqual(['--subnet-file', '--once']);
  });

  it('give booleans a value', () => {
    expect(from('--ip-masq=true', '-once=0')).toEqual(['--ip-masq']);
    expect(from('-ip-masq=false', '-once')).toEqual(['--no-ip-masq', '--once']);
  });

  it('refuse a boolean that is neither, by its name', () => {
    expect(() => from('--ip-masq=perhaps')).toThrow('--ip-masq=perhaps is neither true nor false');
  });

  it('count the last of several values', () => {
    expect(from('--subnet-file=/a', '--ip-masq', '--subnet-file', '/b', '-ip-masq=F')).toEqual([
      '--subnet-file=/b',
      '--no-ip-masq',
    ]);
  });

  it("take klog's level for ours, beside the flag too", () => {
    expect([from('-v=0'), from('--v=2'), from('-v', '4'), from('-v')]).toEqual([
      [],
      ['--verbose'],
      ['--verbose'],
      ['-v'],
    ]);
  });

  it('leave alone what they do not know', () => {
    expect(from('-x=1', '-o', 'json', '--', '-iface=a')).toEqual(['-x=1', '-o', 'json', '--', '-iface=a']);
  });
});

describe('the environment of flanneld', () => {
  const read = (environment: Readonly<Record<string, string>>) =>
    fromGoEnvironment(environment, upFlags, INTEGER_FLAGS);

  it.each([
    ['t', 'true'],
    ['TRUE', 'true'],
    ['1', 'true'],
    ['F', 'false'],
    ['0', 'false'],
  ])('takes %s for %s', (value, expected) => {
    expect(read({ FLANNELD_IP_MASQ: value }).values.get('FLANNELD_IP_MASQ')).toBe(expected);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(read({ FLANNELD_IPTABLES_RESYNC: '' })).toEqual({
      values: new Map([['FLANNELD_IPTABLES_RESYNC', undefined]]),
      ignored: [],
    });
  });

  it('says what it ignores, as flanneld does', () => {
    expect(read({ FLANNELD_IP_MASQ: 'yes', FLANNELD_HEALTHZ_PORT: '80x' }).ignored.toSorted()).toEqual([
      'FLANNELD_HEALTHZ_PORT is ignored: "80x" is no integer',
      'FLANNELD_IP_MASQ is ignored: "yes" is no boolean',
    ]);
  });

  it('leaves the rest of the environment alone', () => {
    expect(read({ PATH: '/bin', FLANNELD_IFACE: 'eth0,eth1', FLANNELD_OTHER: 'x' })).toEqual({
      values: new Map([['FLANNELD_IFACE', 'eth0,eth1']]),
      ignored: [],
    });
  });
});
