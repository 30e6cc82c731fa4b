import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sh } from './foreign-objects.ts';
import { eventually, type Lab, type LabNode, makeLab } from './lab.ts';
import { expectRepair, tellRepairs } from './repair.ts';
import { addPod, type Pod, podsReach, startPing } from './traffic.ts';

let lab: Lab;
let pods: readonly Pod[] = [];
beforeEach(async () => {
  lab = await makeLab(2);
}, 60_000);
afterAll(tellRepairs);
afterEach(async () => {
  for (const { namespace } of pods) await namespace.remove();
  pods = [];
  await lab.remove();
});

const FLAGS = ['--ip-masq', '--healthz-port', '8081'];

async function bothUp(flags: readonly string[] = []): Promise<LabNode> {
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  await first.up({ flags: [...FLAGS, ...flags] });
  await second.up({ flags: [...FLAGS, ...flags] });
  pods = [await addPod(first), await addPod(second)];
  await podsReach(pods, 30_000);
  return first;
}

/**
 * Every rule of the node without counters and handles, flannel's and others'. Sorted: a jump that is written anew comes last, as flannel
 * has it, and so behind what others have appended meanwhile.
 */
async function rulesOf(node: LabNode): Promise<readonly string[]> {
  const listing = await sh(
    node,
    'iptables-nft-save 2>/dev/null; ip6tables-nft-save 2>/dev/null; iptables-legacy-save 2>/dev/null; ip6tables-legacy-save 2>/dev/null; for table in "ip flannel-ipv4" "ip6 flannel-ipv6" "inet theirs"; do nft list table $table 2>/dev/null || true; done',
  );
  return listing
    .split('\n')
    .map((line) => line.replace(/\[\d+:\d+\]/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();
}

const written = (node: LabNode, text: string) =>
  eventually(async () => expect((await rulesOf(node)).join('\n')).toContain(text), 10_000);

const FOREIGN = (iptables: string) => `${iptables} -N THEIRS
${iptables} -A THEIRS -d 203.0.113.0/24 -j DROP
${iptables} -I FORWARD -j THEIRS
${iptables} -t nat -A POSTROUTING -s 203.0.113.0/24 -j RETURN
nft add table inet theirs
nft add chain inet theirs forward '{ type filter hook forward priority -5; policy accept; }'
nft add rule inet theirs forward ip saddr 203.0.113.0/24 drop`;

/** Somebody whose policy drops: then what flannel accepts is all that passes, and each moment without it is heard. */
const DROPPED = (iptables: string) => `${iptables} -P FORWARD DROP`;

const JUMP = '-m comment --comment "flanneld forward" -j FLANNEL-FWD';

const DRIFT = (iptables: string): Readonly<Record<string, string>> => ({
  'a flushed FLANNEL-FWD': `${iptables} -F FLANNEL-FWD`,
  'a flushed FLANNEL-POSTRTG': `${iptables} -t nat -F FLANNEL-POSTRTG`,
  'a removed jump': `${iptables} -D FORWARD ${JUMP}`,
  // in one transaction, before the agent has the jump back
  'a deleted chain': `${iptables}-restore --noflush <<END\n*filter\n-D FORWARD ${JUMP}\n-F FLANNEL-FWD\n-X FLANNEL-FWD\nCOMMIT\nEND`,
  'another rule in front of ours': `${iptables} -I FLANNEL-FWD -s 10.244.0.0/16 -j DROP`,
});

describe('the rules of the agent in nf_tables', () => {
  it('of iptables are repaired within a second, and others stay', { timeout: 240_000 }, async () => {
    const node = await bothUp();
    await written(node, '-A FLANNEL-FWD');
    await sh(node, `${FOREIGN('iptables')}\n${DROPPED('iptables')}`);
    const [from, to] = pods;
    if (from === undefined || to === undefined) throw new Error('there are no pods');
    for (const [what, command] of Object.entries(DRIFT('iptables'))) {
      const pinging = await startPing({ from, to });
      await expectRepair(`${what} (iptables-nft)`, { act: () => sh(node, command), look: () => rulesOf(node) });
      const { sent, lost } = await pinging.stop();
      expect(lost).toBeLessThan(sent);
    }
  });

  it('are back within a second after nft flush ruleset', { timeout: 240_000 }, async () => {
    const node = await bothUp();
    await written(node, '-A FLANNEL-FWD');
    await expectRepair('nft flush ruleset (iptables)', {
      act: () => sh(node, 'nft flush ruleset'),
      look: async () => (await rulesOf(node)).filter((line) => /FLANNEL|MASQUERADE/.test(line)),
    });
  });

  it('of nftables mode are repaired within a second, and others stay', { timeout: 240_000 }, async () => {
    await lab.put('/coreos.com/network/config', {
      Network: '10.244.0.0/16',
      EnableNFTables: true,
      Backend: { Type: 'vxlan' },
    });
    const node = await bothUp();
    await written(node, 'table ip flannel-ipv4');
    await sh(node, FOREIGN('iptables'));
    const drift = {
      'a flushed table': 'nft flush table ip flannel-ipv4',
      'a deleted table': 'nft delete table ip flannel-ipv4',
      'another rule': 'nft insert rule ip flannel-ipv4 forward drop',
    };
    for (const [what, command] of Object.entries(drift))
      await expectRepair(`${what} (nftables)`, { act: () => sh(node, command), look: () => rulesOf(node) });
    await expectRepair('nft flush ruleset (nftables)', {
      act: () => sh(node, 'nft flush ruleset'),
      look: async () =>
        (await rulesOf(node)).filter(
          (line) => !/THEIRS|theirs|203\.0\.113|forward|}/.test(line) && /saddr|flannel/.test(line),
        ),
    });
  });
});

describe('the rules of the agent in the legacy tables', () => {
  it('are repaired with the timer, of which nobody has to tell, and others stay', { timeout: 240_000 }, async () => {
    for (const one of lab.nodes) await sh(one, 'iptables-legacy -t mangle -N KUBE-KUBELET-CANARY');
    const node = await bothUp(['--iptables-resync', '1']);
    await eventually(async () => expect(await sh(node, 'iptables-legacy-save')).toContain('-A FLANNEL-FWD'), 10_000);
    await sh(node, FOREIGN('iptables-legacy'));
    for (const [what, command] of Object.entries(DRIFT('iptables-legacy'))) {
      const before = await rulesOf(node);
      await sh(node, command);
      // A second of the timer, and what looking and writing take.
      await eventually(async () => expect(await rulesOf(node), what).toEqual(before), 10_000);
    }
    expect(await sh(node, 'iptables-nft-save')).not.toContain('FLANNEL');
  });
});
