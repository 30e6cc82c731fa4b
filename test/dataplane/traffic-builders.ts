import { desiredTrafficRules, type TrafficInput, type TrafficRules } from '../../src/dataplane/masquerade.ts';
import { aConfig } from './builders.ts';
import type { Namespace } from './namespace.ts';

/** IPv4 only, iptables, both kinds of rules. */
export function aTraffic(values: Partial<TrafficInput> = {}): TrafficRules {
  return desiredTrafficRules({
    config: aConfig(),
    ownSubnet: '10.244.1.0/24',
    ipv6Subnet: 'fc00:0:0:1::/64',
    ipMasq: true,
    forwardRules: true,
    randomFully: true,
    ...values,
  });
}

export const NFTABLES = { config: aConfig({ enableNFTables: true }) };

/** The rules of one chain as `iptables -S` prints them, without the line that declares it. */
export async function listed(node: Namespace, program: string, chain: string): Promise<readonly string[]> {
  const table = /POSTR/.test(chain) ? 'nat' : 'filter';
  const text = await node.run(`${program} -t ${table} -S ${chain}`);
  return text
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('-A '));
}

/** Gives the program rules in the form of iptables-save. */
export async function restore(node: Namespace, program: string, text: string): Promise<void> {
  const { exitCode, stderr } = await node.writer.run([`${program}-restore`, '--noflush'], { input: text });
  if (exitCode !== 0) throw new Error(stderr);
}

/** flannel v0.20's rules, and those of v0.19 and before. */
export const OF_V0_20 = `*nat
:FLANNEL-POSTRTG - [0:0]
-I POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.7.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
COMMIT
`;

export const OF_V0_19 = `*nat
-A POSTROUTING -s 10.244.0.0/16 -d 10.244.0.0/16 -j RETURN
-A POSTROUTING -s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully
-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.7.0/24 -j RETURN
-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully
COMMIT
*filter
-A FORWARD -s 10.244.0.0/16 -j ACCEPT
-A FORWARD -d 10.244.0.0/16 -j ACCEPT
COMMIT
`;
