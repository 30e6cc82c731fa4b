import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ensureTrafficRules,
  holdsTrafficRules,
  planTrafficRules,
  removeTrafficRules,
} from '../../src/dataplane/masquerade.ts';
import { aConfig } from './builders.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { aTraffic, listed, NFTABLES, OF_V0_19, OF_V0_20, restore } from './traffic-builders.ts';

const POSTRTG = [
  '-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
  '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
];
const FWD = [
  '-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
  '-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
];
const TO_POSTRTG = '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG';
const TO_FWD = '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD';

let node: Namespace;
beforeEach(async () => {
  node = await makeNamespace();
});
afterEach(() => node.remove());

const ensure = (values: Parameters<typeof aTraffic>[0] = {}) =>
  ensureTrafficRules({ ...node, rules: aTraffic(values) });

describe.each(['nft', 'legacy'] as const)('traffic rules in iptables-%s', (variant) => {
  const iptables = `iptables-${variant}`;
  const ip6tables = `ip6tables-${variant}`;
  /** kubelet's mark: this is the iptables of the host. */
  beforeEach(() => node.run(`${iptables} -t mangle -N KUBE-KUBELET-CANARY`));

  it('are those of flannel, word for word and in order', async () => {
    await ensure();
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
    expect(await listed(node, iptables, 'FLANNEL-FWD')).toEqual(FWD);
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([TO_POSTRTG]);
    expect(await listed(node, iptables, 'FORWARD')).toEqual([TO_FWD]);
  });

  it('are written in both families, and nothing is run when all is in order', async () => {
    const config = aConfig({ enableIPv6: true });
    expect((await ensure({ config })).changes).not.toEqual([]);
    expect(await listed(node, ip6tables, 'FLANNEL-FWD')).toHaveLength(2);
    expect(await planTrafficRules({ ...node, rules: aTraffic({ config }) })).toEqual([]);
    expect((await ensure({ config })).changes).toEqual([]);
  });

  it('are looked at by one process a family, which sees what is missing', async () => {
    const rules = aTraffic();
    const { holders } = await ensure();
    const asked: string[] = [];
    const exec: typeof node.host.exec = (argv, options) => {
      asked.push(argv.join(' '));
      return node.host.exec(argv, options);
    };
    const holds = () => holdsTrafficRules({ ...node.host, exec }, rules, holders);
    expect(await holds()).toBe(true);
    expect(asked).toHaveLength(1);
    await node.run(`${iptables} -D FLANNEL-FWD 1`);
    expect(await holds()).toBe(false);
  });

  it('come back after a flush of the table, of the chain, of the jump', async () => {
    await ensure();
    for (const flush of ['-t nat -F', '-t nat -F FLANNEL-POSTRTG', '-F FORWARD']) {
      await node.run(`${iptables} ${flush}`);
      expect((await ensure()).changes).not.toEqual([]);
    }
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
    expect(await listed(node, iptables, 'FORWARD')).toEqual([TO_FWD]);
  });

  it('come back in their order when one moved', async () => {
    await ensure();
    await restore(node, iptables, `*nat\n-D FLANNEL-POSTRTG 1\n${POSTRTG[0]}\nCOMMIT\n`);
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual([...POSTRTG.slice(1), POSTRTG[0]]);
    await ensure();
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
  });

  it('stay before a rule that rejects everything, wherever that was put', async () => {
    await node.run(`${iptables} -A FORWARD -p icmp -j ACCEPT`);
    await node.run(`${iptables} -A FORWARD -j REJECT`);
    await ensure();
    const reject = '-A FORWARD -j REJECT --reject-with icmp-port-unreachable';
    expect(await listed(node, iptables, 'FORWARD')).toEqual(['-A FORWARD -p icmp -j ACCEPT', TO_FWD, reject]);
    await node.run(`${iptables} -I FORWARD -j REJECT`);
    await ensure();
    expect((await listed(node, iptables, 'FORWARD'))[0]).toBe(TO_FWD);
  });

  it('let foreign rules before and after theirs stay where they are', async () => {
    await ensure();
    await node.run(`${iptables} -t nat -I POSTROUTING -s 172.17.0.0/16 -j MASQUERADE`);
    await node.run(`${iptables} -t nat -A POSTROUTING -s 172.18.0.0/16 -j MASQUERADE`);
    expect((await ensure()).changes).toEqual([]);
    await node.run(`${iptables} -t nat -F FLANNEL-POSTRTG`);
    await ensure();
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([
      '-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE',
      '-A POSTROUTING -s 172.18.0.0/16 -j MASQUERADE',
      TO_POSTRTG,
    ]);
  });

  it('are entered once, also when the jump was there twice', async () => {
    await ensure();
    await restore(node, iptables, `*nat\n${TO_POSTRTG}\nCOMMIT\n`);
    await ensure();
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([TO_POSTRTG]);
  });

  it('replace the five of v0.20', async () => {
    await restore(node, iptables, OF_V0_20);
    await ensure();
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([TO_POSTRTG]);
  });

  it('replace the bare ones of v0.19, and leave look-alikes of others', async () => {
    await restore(node, iptables, OF_V0_19);
    await node.run(`${iptables} -A FORWARD -s 10.244.0.0/17 -j ACCEPT`);
    await ensure();
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([TO_POSTRTG]);
    expect(await listed(node, iptables, 'FORWARD')).toEqual(['-A FORWARD -s 10.244.0.0/17 -j ACCEPT', TO_FWD]);
    expect((await ensure()).changes).toEqual([]);
  });

  it('leave half a set without a comment alone: it may be anybody’s', async () => {
    await node.run(`${iptables} -A FORWARD -s 10.244.0.0/16 -j ACCEPT`);
    await ensure();
    expect(await listed(node, iptables, 'FORWARD')).toEqual(['-A FORWARD -s 10.244.0.0/16 -j ACCEPT', TO_FWD]);
  });

  it('leave the other iptables when kubelet shows which one the host uses', async () => {
    const other = `iptables-${variant === 'nft' ? 'legacy' : 'nft'}`;
    await restore(node, other, OF_V0_20);
    await ensure();
    await expect(listed(node, other, 'FLANNEL-POSTRTG')).rejects.toThrow();
    expect(await listed(node, other, 'POSTROUTING')).toEqual([]);
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
  });

  it('replace the tables of nftables mode, and are replaced by them', async () => {
    await ensure(NFTABLES);
    await ensure();
    expect(await node.run('nft list tables')).not.toContain('flannel-ipv');
    expect(await listed(node, iptables, 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
    await ensure(NFTABLES);
    expect(await listed(node, iptables, 'POSTROUTING')).toEqual([]);
    await expect(listed(node, iptables, 'FLANNEL-POSTRTG')).rejects.toThrow();
  });

  it('follow a new subnet and a new network', async () => {
    await ensure();
    await ensure({ config: aConfig({ network: '10.96.0.0/12' }), ownSubnet: '10.100.3.0/24' });
    expect((await listed(node, iptables, 'FLANNEL-POSTRTG'))[1]).toContain('-s 10.100.3.0/24 -d 10.96.0.0/12 ');
    expect((await listed(node, iptables, 'FLANNEL-FWD')).join()).not.toContain('10.244');
  });

  it('go without a trace, and nothing of others goes with them', async () => {
    await node.run(`${iptables} -A FORWARD -j REJECT`);
    const before = await node.run(`${iptables} -S`);
    await ensure({ config: aConfig({ enableIPv6: true }) });
    await removeTrafficRules(node);
    expect(await node.run(`${iptables} -S`)).toBe(before);
    expect(await node.run(`${iptables} -t nat -S`)).not.toContain('FLANNEL');
    expect(await node.run(`${ip6tables} -S`)).not.toContain('FLANNEL');
    expect((await removeTrafficRules(node)).changes).toEqual([]);
  });

  it('keep a chain, empty, that a rule of somebody else jumps to', async () => {
    await ensure();
    await node.run(`${iptables} -A FORWARD -i cni0 -j FLANNEL-FWD`);
    await removeTrafficRules(node);
    expect(await listed(node, iptables, 'FORWARD')).toEqual(['-A FORWARD -i cni0 -j FLANNEL-FWD']);
    expect(await listed(node, iptables, 'FLANNEL-FWD')).toEqual([]);
  });
});

describe('the iptables that is used', () => {
  it('is the default one where nobody left a mark', async () => {
    await ensure();
    expect(await listed(node, 'iptables', 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
  });

  it('is flannel’s former one where Docker has its chains in the other', async () => {
    await node.run('iptables-nft -N DOCKER');
    await restore(node, 'iptables-legacy', OF_V0_20);
    await ensure();
    expect(await listed(node, 'iptables-legacy', 'FLANNEL-POSTRTG')).toEqual(POSTRTG);
  });
});
