import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LINKS_COMMAND, observeRoutes } from '../../src/dataplane/observe.ts';
import { parseUnderlayInterfaces } from '../../src/dataplane/parse.ts';
import { chooseUnderlay, type UnderlayInput } from '../../src/dataplane/underlay.ts';
import { explainUnderlay } from '../../src/dataplane/underlay-explain.ts';
import { considerUnderlay } from '../../src/dataplane/underlay-observe.ts';
import { FLANNEL_DEFAULTS, type FlannelOptions } from '../../src/net/flannel-options.ts';
import { makeNamespace, type Namespace } from './namespace.ts';

/** Two interfaces with a router on each, both families; no default route. */
let node: Namespace;
beforeEach(async () => {
  node = await makeNamespace();
  for (const n of [1, 2]) {
    await node.run(`ip link add e${n} type veth peer name p${n}`);
    for (const device of [`e${n}`, `p${n}`]) await node.run(`ip link set ${device} up`);
    await node.run(`ip addr add 192.168.${n}.2/24 dev e${n}`);
    await node.run(`ip addr add fd00:${n}::2/64 dev e${n} nodad`);
  }
});
afterEach(() => node.remove());

async function inputOf(options: Partial<FlannelOptions> = {}, wantsIpv6 = false): Promise<UnderlayInput> {
  const all = { ...FLANNEL_DEFAULTS, ...options };
  const interfaces = parseUnderlayInterfaces(await node.run(LINKS_COMMAND.join(' ')));
  const routes = await observeRoutes(node.host);
  return considerUnderlay(node.host, { options: all, interfaces, routes, wantsIpv4: true, wantsIpv6 });
}

async function choose(options: Partial<FlannelOptions> = {}, wantsIpv6 = false) {
  const choice = chooseUnderlay(await inputOf(options, wantsIpv6));
  return choice.status === 'chosen' ? choice.underlay : choice.reason;
}

describe('the interface of a default route that flannel cannot read', () => {
  it('is one of the ways of a multipath route', async () => {
    await node.run('ip route add default nexthop via 192.168.1.1 dev e1 nexthop via 192.168.2.1 dev e2');
    expect(await choose()).toMatchObject({ device: 'e1', publicIp: '192.168.1.2', because: 'default route' });
  });

  it('is a way that is not down', async () => {
    await node.run('ip route add default nexthop via 192.168.1.1 dev e1 nexthop via 192.168.2.1 dev e2');
    await node.run('ip link set p1 down');
    expect(await choose()).toMatchObject({ device: 'e2' });
  });

  it('is in dual stack the way that both families have', async () => {
    await node.run('ip route add default nexthop via 192.168.1.1 dev e1 nexthop via 192.168.2.1 dev e2');
    await node.run('ip -6 route add default via fd00:2::1');
    expect(await choose({}, true)).toMatchObject({ device: 'e2', ipv4: '192.168.2.2', ipv6: 'fd00:2::2' });
  });

  it('is found behind a blackhole', async () => {
    await node.run('ip route add blackhole default metric 1');
    await node.run('ip route add default via 192.168.2.1 metric 100');
    expect(await choose()).toMatchObject({ device: 'e2' });
  });

  it('is found in the table of a rule for everybody', async () => {
    await node.run('ip route add default via 192.168.2.1 table 100');
    await node.run('ip rule add lookup 100 priority 500');
    expect(await choose()).toMatchObject({ device: 'e2', because: 'default route of table 100 (rule 500)' });
  });

  it('is found in the table of a rule for its own address', async () => {
    await node.run('ip route add default via 192.168.1.1 table 101');
    await node.run('ip route add default via 192.168.2.1 table 102');
    await node.run('ip rule add from 10.9.9.9 lookup 101 priority 400');
    await node.run('ip rule add from 192.168.2.0/24 lookup 102 priority 500');
    expect(await choose()).toMatchObject({
      device: 'e2',
      because: 'default route of table 102 (rule 500, from 192.168.2.0/24)',
    });
  });

  it('is not looked for in a table for marked packets, or for one that suppresses defaults', async () => {
    await node.run('ip route add default via 192.168.2.1 table 100');
    await node.run('ip rule add fwmark 0x1 lookup 100');
    await node.run('ip rule add lookup 100 suppress_prefixlength 0');
    expect(await choose()).toBe('failed to get default interface: unable to find default route');
  });

  it('is still that of the main table where there is one, as flannel has it', async () => {
    await node.run('ip route add default via 192.168.2.1 table 100');
    await node.run('ip rule add lookup 100 priority 500');
    await node.run('ip route add default via 192.168.1.1');
    expect(await choose()).toMatchObject({ device: 'e1' });
  });
});

describe('--iface-can-reach', () => {
  it('asks the kernel, policy rules included', async () => {
    await node.run('ip route add 10.77.0.0/16 via 192.168.1.1');
    await node.run('ip route add 10.77.0.0/16 via 192.168.2.1 table 100 src 192.168.2.2');
    await node.run('ip rule add to 10.77.0.0/16 lookup 100 priority 500');
    expect(await choose({ ifaceCanReach: '10.77.1.1' })).toMatchObject({ device: 'e2', ipv4: '192.168.2.2' });
  });

  it('has no answer where the kernel has no way', async () => {
    expect(await choose({ ifaceCanReach: '10.77.1.1' })).toContain('no route to 10.77.1.1');
  });
});

describe('explainUnderlay', () => {
  it('says what decided, what was passed over and what else there is', async () => {
    await node.run('ip route add blackhole default metric 1');
    await node.run('ip route add default via 192.168.2.1 metric 100');
    expect(explainUnderlay(await inputOf())).toEqual([
      'interface e2, address 192.168.2.2, mtu 1500: default route',
      'advertised: 192.168.2.2',
      'passed over: IPv4 default route of table main, metric 1: blackhole',
      expect.stringMatching(/^not taken: p1/),
      expect.stringMatching(/^not taken: e1 \(192\.168\.1\.2, fd00:1::2/),
      expect.stringMatching(/^not taken: p2/),
    ]);
  });

  it('names the flags that were tried first', async () => {
    expect(explainUnderlay(await inputOf({ iface: ['e9', 'e1'], publicIp: '203.0.113.7' })).slice(0, 3)).toEqual([
      'interface e1, address 192.168.1.2, mtu 1500: --iface=e1',
      'advertised: 203.0.113.7, as --public-ip says',
      'tried first: error looking up interface e9: no such network interface',
    ]);
  });

  it('says why there is none', async () => {
    expect(explainUnderlay(await inputOf())[0]).toContain('no interface: failed to get default interface');
  });
});
