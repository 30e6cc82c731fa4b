import { describe, expect, it } from 'vitest';
import { parseEnvironment, parseFlags } from '../../src/facts/flanneld-flags.ts';

function optionsOf(...args: readonly string[]) {
  return parseFlags(args).options;
}

describe("flanneld's flags", () => {
  it.each([[['-etcd-prefix=/a']], [['--etcd-prefix=/a']], [['-etcd-prefix', '/a']], [['--etcd-prefix', '/a']]])(
    'are read in every spelling of Go: %j',
    (args) => {
      expect(optionsOf(...args)).toEqual({ etcdPrefix: '/a' });
    },
  );

  it('take a boolean without a value, and never the next word', () => {
    expect(optionsOf('--ip-masq', '--kube-subnet-mgr', '-healthz-port=8081')).toEqual({
      ipMasq: true,
      kubeSubnetMgr: true,
      healthzPort: 8081,
    });
  });

  it('take a boolean with a value', () => {
    expect(optionsOf('--ip-masq=F', '-iptables-forward-rules=false')).toEqual({
      ipMasq: false,
      iptablesForwardRules: false,
    });
  });

  it('split the endpoints at commas and trim nothing', () => {
    expect(optionsOf('-etcd-endpoints=http://a:1, http://b:1')).toEqual({
      etcdEndpoints: ['http://a:1', ' http://b:1'],
    });
  });

  it('gather an interface each time it is given', () => {
    expect(optionsOf('--iface=eth1', '--iface', 'eth0')).toEqual({ iface: ['eth1', 'eth0'] });
  });

  it('go on after a flag of klog or of another version', () => {
    expect(optionsOf('-v', '4', '--vmodule=a=1', '--later', 'x', '--public-ip=10.0.0.1')).toEqual({
      publicIp: '10.0.0.1',
    });
  });

  it.each([['--'], ['word']])('end at %j', (end) => {
    expect(optionsOf('--ip-masq', end, '--public-ip=10.0.0.1')).toEqual({ ipMasq: true });
  });

  it('keep a value that begins with a dash', () => {
    expect(optionsOf('--iface-regex', '-x', '--ip-masq')).toEqual({ ifaceRegex: ['-x'], ipMasq: true });
  });

  it('leave out a number that is none', () => {
    expect(optionsOf('--healthz-port=http')).toEqual({});
  });

  it('keep the password apart from the options', () => {
    expect(parseFlags(['--etcd-username=root', '--etcd-password=x'])).toEqual({
      options: { etcdUsername: 'root' },
      etcdPassword: 'x',
    });
  });
});

describe("flanneld's environment", () => {
  it('takes a list as one item', () => {
    expect(parseEnvironment(new Map([['FLANNELD_IFACE', 'eth0,eth1']])).options).toEqual({ iface: ['eth0,eth1'] });
  });

  it('takes an empty variable as not set and an invalid one as nothing', () => {
    const variables = new Map([
      ['FLANNELD_ETCD_PREFIX', ''],
      ['FLANNELD_IP_MASQ', 'maybe'],
    ]);
    expect(parseEnvironment(variables).options).toEqual({});
  });

  it('does not read variables without its prefix', () => {
    expect(parseEnvironment(new Map([['ETCD_PREFIX', '/a']])).options).toEqual({});
  });
});
