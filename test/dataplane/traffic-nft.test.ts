import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureTrafficRules, planTrafficRules, removeTrafficRules } from '../../src/dataplane/masquerade.ts';
import { nftRuleText } from '../../src/dataplane/traffic-nft-text.ts';
import { UnavailableError } from '../../src/errors.ts';
import type { Host } from '../../src/host/host.ts';
import { aConfig } from './builders.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { aTraffic, NFTABLES } from './traffic-builders.ts';

const IPV4 = `table ip flannel-ipv4 {
	chain forward {
		comment "chain to accept flannel traffic"
		type filter hook forward priority filter; policy accept;
		ip saddr 10.244.0.0/16 accept
		ip daddr 10.244.0.0/16 accept
	}

	chain postrtg {
		comment "chain to manage traffic masquerading by flannel"
		type nat hook postrouting priority srcnat; policy accept;
		meta mark 0x00004000 return
		ip saddr 10.244.1.0/24 ip daddr 10.244.0.0/16 return
		ip saddr 10.244.0.0/16 ip daddr 10.244.1.0/24 return
		ip saddr != 10.244.1.0/24 ip daddr 10.244.0.0/16 return
		ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random
		ip saddr != 10.244.0.0/16 ip daddr 10.244.0.0/16 masquerade fully-random
	}
}
`;

let node: Namespace;
beforeEach(async () => {
  node = await makeNamespace();
});
afterEach(() => node.remove());

const ensure = (values: Parameters<typeof aTraffic>[0] = NFTABLES) =>
  ensureTrafficRules({ ...node, rules: aTraffic(values) });
const table = () => node.run('nft list table ip flannel-ipv4');

describe('traffic rules in nftables mode', () => {
  it('are flannel’s tables, chains and rules', async () => {
    await ensure();
    expect(await table()).toBe(IPV4);
    expect(await node.run('nft list table ip6 flannel-ipv6')).toBe('table ip6 flannel-ipv6 {\n}\n');
  });

  it('are written in both families, and nothing is run when all is in order', async () => {
    const config = aConfig({ enableNFTables: true, enableIPv6: true });
    await ensure({ config });
    expect(await node.run('nft list chain ip6 flannel-ipv6 postrtg')).toContain('ip6 daddr != ff00::/8 masquerade');
    expect(await planTrafficRules({ ...node, rules: aTraffic({ config }) })).toEqual([]);
  });

  it('come back after a flush of everything, a foreign rule among them, another order, another hook', async () => {
    await ensure();
    for (const harm of [
      'nft flush ruleset',
      'nft insert rule ip flannel-ipv4 postrtg accept',
      'nft flush chain ip flannel-ipv4 forward',
      'nft delete chain ip flannel-ipv4 forward',
      'nft add chain ip flannel-ipv4 more',
    ]) {
      await node.run(harm);
      expect((await ensure()).changes).not.toEqual([]);
      expect(await table()).toBe(IPV4);
    }
  });

  it('do not touch the tables of others', async () => {
    await node.run('nft add table inet filter');
    await node.run('nft add chain inet filter forward { type filter hook forward priority 0 ; policy drop ; }');
    const foreign = await node.run('nft list table inet filter');
    await ensure();
    await removeTrafficRules(node);
    expect(await node.run('nft list ruleset')).toBe(foreign);
  });

  it('need no iptables at all', async () => {
    const ports = { host: withMissing(node.host, /tables/), writer: node.writer };
    await ensureTrafficRules({ ...ports, rules: aTraffic(NFTABLES) });
    expect(await table()).toBe(IPV4);
  });

  it('say what is missing when nft is', async () => {
    const ports = { host: withMissing(node.host, /^nft$/), writer: node.writer };
    await expect(ensureTrafficRules({ ...ports, rules: aTraffic(NFTABLES) })).rejects.toMatchObject({
      code: 'missing-tool',
    });
  });
});

/** A host on which these programs are not installed. */
function withMissing(host: Host, programs: RegExp): Host {
  return {
    ...host,
    exec: async (argv, options) => {
      if (programs.test(argv[0])) throw new UnavailableError('missing-tool', `${argv[0]} is not installed`);
      return host.exec(argv, options);
    },
  };
}

describe('nftRuleText', () => {
  it('reads the flags of masquerade as nft prints them before and since 1.0.9', () => {
    expect(nftRuleText([{ masquerade: { flags: 'fully-random' } }])).toBe('masquerade fully-random');
    expect(nftRuleText([{ masquerade: { flags: ['fully-random'] } }])).toBe('masquerade fully-random');
    expect(nftRuleText([{ masquerade: null }])).toBe('masquerade');
  });

  it('makes nothing of what flannel does not write', () => {
    expect(nftRuleText([{ counter: { packets: 1 } }, { accept: null }])).not.toBe('accept');
  });
});
