import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, lab } from './lab.ts';

// Node 1 looks, node 2 answers, node 3 is the one that may be gone.

const GONE = '10.244.3.0/24';

let nodes: Lab;
beforeEach(async () => {
  nodes = await lab(3);
  nodes.lease(1, 86_400);
  nodes.lease(2, 86_400);
});
afterEach(() => nodes.down());

const die = () => nodes.run(3, 'ip link set e0 down');
const dryRun = async (...more: readonly string[]) =>
  JSON.parse((await nodes.flannelctl(1, 'leases', 'prune', '--dry-run', '-o', 'json', ...more)).stdout);
const keysOf = (items: readonly { readonly key: string }[]) => items.map(({ key }) => key);
const codesOf = (items: readonly { readonly reasons: readonly { readonly code: string }[] }[]) =>
  items.flatMap(({ reasons }) => reasons.map(({ code }) => code));

describe('owners of leases in a real overlay', () => {
  it('are gone when they are silent and overdue while another answers', async () => {
    nodes.lease(3, 600);
    die();
    const { items } = await dryRun();
    expect([keysOf(items), codesOf(items)]).toEqual([['10.244.3.0-24'], ['overdue', 'owner-silent']]);
    const list = JSON.parse((await nodes.flannelctl(1, 'leases', 'list', '--state', 'stale', '-o', 'json')).stdout);
    expect(keysOf(list.items)).toEqual(['10.244.3.0-24']);
  });

  it('are there when they answer, however overdue', async () => {
    nodes.lease(3, 600);
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-answers']]);
  });

  it('are there when they drop every echo on the underlay and answer over vxlan', async () => {
    nodes.lease(3, 600);
    nodes.run(3, 'iptables -I INPUT -i e0 ! -p udp -j DROP');
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-answers']]);
  });

  it('are not known to be gone while nobody else answers', async () => {
    nodes.lease(3, 600);
    die();
    nodes.run(2, 'ip link set e0 down');
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-unknown']]);
  });

  it('are not known to be gone while this host may not send', async () => {
    nodes.lease(3, 600);
    die();
    nodes.run(1, 'ip route add prohibit 192.168.77.3/32');
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-unknown']]);
  });

  it('are not known to be gone where the kernel here does not lead to them', async () => {
    nodes.lease(3, 600);
    die();
    nodes.run(1, 'bridge fdb del 02:00:00:00:00:03 dev flannel.1');
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-unknown']]);
  });

  it('are asked from user space where this host has no flannel.N', async () => {
    nodes.lease(3, 600);
    die();
    nodes.run(1, 'ip link del flannel.1');
    expect(keysOf((await dryRun()).items)).toEqual(['10.244.3.0-24']);
  });

  it('answer to user space where this host has no flannel.N and the underlay drops echoes', async () => {
    nodes.lease(3, 600);
    nodes.run(3, 'iptables -I INPUT -i e0 ! -p udp -j DROP');
    nodes.run(1, 'ip link del flannel.1');
    const { items, kept } = await dryRun();
    expect([items, codesOf(kept)]).toEqual([[], ['overdue', 'owner-answers']]);
  });

  it('keep a subnet with time left until it is named', async () => {
    nodes.lease(3, 80_000);
    die();
    expect((await dryRun()).items).toEqual([]);
    expect(keysOf((await dryRun('--subnet', GONE)).items)).toEqual(['10.244.3.0-24']);
  });
});

describe('prune in a real overlay', () => {
  it('deletes the lease of a dead owner, and restore puts it back', async () => {
    nodes.lease(3, 600);
    die();
    const pruned = await nodes.flannelctl(1, 'leases', 'prune', '--yes', '-o', 'json');
    expect([pruned.code, nodes.keys()]).toEqual([0, ['10.244.1.0-24', '10.244.2.0-24']]);
    const { backup, restoreCommand, deleted } = JSON.parse(pruned.stdout);
    expect(keysOf(deleted)).toEqual(['10.244.3.0-24']);
    expect(restoreCommand).toMatch(`flannelctl leases restore ${backup}`);
    expect(pruned.stderr).toMatch(/deleted 10\.244\.3\.0-24 \(192\.168\.77\.3, revision \d+, etcd lease [0-9a-f]+\)/);
    expect((await nodes.flannelctl(1, 'leases', 'restore', backup)).code).toBe(0);
    expect(nodes.keys()).toContain('10.244.3.0-24');
  });

  it('refuses a named owner that answers, and deletes it with --force', async () => {
    nodes.lease(3, 80_000);
    const refused = await nodes.flannelctl(1, 'leases', 'prune', '--subnet', GONE, '--yes');
    expect([refused.code, nodes.keys()]).toEqual([64, ['10.244.1.0-24', '10.244.2.0-24', '10.244.3.0-24']]);
    const forced = await nodes.flannelctl(1, 'leases', 'prune', '--subnet', GONE, '--yes', '--force');
    expect([forced.code, nodes.keys()]).toEqual([0, ['10.244.1.0-24', '10.244.2.0-24']]);
  });

  it('refuses the lease of this host, with --force too', async () => {
    const args = ['leases', 'prune', '--subnet', '10.244.1.0/24', '--yes', '--force'];
    expect([(await nodes.flannelctl(1, ...args)).code, nodes.keys()]).toEqual([64, ['10.244.1.0-24', '10.244.2.0-24']]);
  });

  it('writes nothing when it is only a dry run', async () => {
    nodes.lease(3, 600);
    die();
    expect((await nodes.flannelctl(1, 'leases', 'prune', '--dry-run')).code).toBe(0);
    expect(nodes.keys()).toHaveLength(3);
    expect(readdirSync(nodes.folder)).toEqual(['etcd']);
  });

  it('deletes nothing when the backup cannot be written', async () => {
    nodes.lease(3, 600);
    die();
    const args = ['leases', 'prune', '--yes', '--backup-dir', join('/proc', 'no')];
    expect([(await nodes.flannelctl(1, ...args)).code, nodes.keys().length]).toEqual([73, 3]);
  });
});

describe('release in a real overlay', () => {
  it('gives back the lease of this host', async () => {
    const { code } = await nodes.flannelctl(1, 'leases', 'release', '10.244.1.0/24', '--yes');
    expect([code, nodes.keys()]).toEqual([0, ['10.244.2.0-24']]);
  });

  it('gives back the lease that names this host, where another has the subnet under another key', async () => {
    const key = '10.244.1.0-24&fc00:0:0:1::-64';
    nodes.lease(1, 86_400, key);
    nodes.lease(3, 86_400, '10.244.1.0/24');
    const { code, stderr } = await nodes.flannelctl(1, 'leases', 'release', '10.244.1.0/24', '--yes');
    expect([code, nodes.keys()]).toEqual([0, ['10.244.1.0-24', '10.244.2.0-24']]);
    expect(stderr).toContain(`deleted ${key} (192.168.77.1,`);
  });

  it('refuses the lease of the other one of two hosts that use a subnet; who is gone can be told elsewhere', async () => {
    const twin = '10.244.1.0/24';
    nodes.lease(3, 86_400, twin);
    const { code, stderr } = await nodes.flannelctl(1, 'leases', 'release', twin, '--yes');
    expect([code, nodes.keys()]).toEqual([64, ['10.244.1.0-24', '10.244.2.0-24']]);
    expect(stderr).toContain('in use here, but its lease names 192.168.77.3');
    const shown = await nodes.flannelctl(1, 'leases', 'prune', '--subnet', twin, '--dry-run');
    expect([shown.code, shown.stderr]).toEqual([64, expect.stringMatching(/leases release SUBNET\n$/)]);
    const prune = () => nodes.flannelctl(2, 'leases', 'prune', '--subnet', twin, '--yes');
    expect([(await prune()).code, nodes.keys()]).toEqual([64, ['10.244.1.0-24', '10.244.2.0-24']]);
  });

  it('refuses the lease of another host', async () => {
    const { code } = await nodes.flannelctl(1, 'leases', 'release', '10.244.2.0/24', '--yes');
    expect([code, nodes.keys()]).toEqual([64, ['10.244.1.0-24', '10.244.2.0-24']]);
  });
});
