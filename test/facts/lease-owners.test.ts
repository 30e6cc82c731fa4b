import { describe, expect, it } from 'vitest';
import type { ActualOverlay } from '../../src/dataplane/entry.ts';
import { UnavailableError } from '../../src/errors.ts';
import { leaseOwnersFact } from '../../src/facts/lease-owners.ts';
import type { OverdueLease } from '../../src/facts/lease-renewals.ts';
import type { KubeApi } from '../../src/kube/kube.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import type { Lease } from '../../src/store/store.ts';
import { leaseAt, overdueAt } from '../support/lease-records.ts';
import { actualOverlay, contextWith, flannelInstall, listing } from '../support/probe-builders.ts';
import { recordedHost } from '../support/recorded.ts';

/** As ping of iputils 20221126 prints it. */
const statistics = (received: number) =>
  `3 packets transmitted, ${received} received, ${received === 3 ? 0 : 100}% packet loss, time 404ms\n`;

interface Scene {
  readonly overdue?: readonly OverdueLease[];
  /** Addresses that answer an echo. */
  readonly answering?: readonly string[];
  /** Peers whose subnets have a route on flannel.1. */
  readonly routed?: readonly number[];
  readonly openKube?: () => Promise<KubeApi>;
}

/** Route, neighbour and forwarding entry of these nodes. */
function programmed(numbers: readonly number[]): ActualOverlay {
  const ends = numbers.map((number) => ({
    dst: `10.244.${number}.0/24`,
    ip: `10.244.${number}.0`,
    lease: leaseAt(number),
  }));
  const device = 'flannel.1';
  const isPermanent = true;
  return actualOverlay({
    routes: ends.map(({ dst, ip }) => ({ kind: 'route', dst, via: ip, device, isOnlink: true, metric: 0 })),
    neighbours: ends.map(({ ip, lease }) => ({ kind: 'neighbour', device, ip, mac: macOf(lease), isPermanent })),
    fdb: ends.map(({ lease }) => {
      return { kind: 'fdb', device, mac: macOf(lease), dst: lease.attributes.publicIp ?? '', isPermanent };
    }),
  });
}

function macOf({ attributes }: Lease): string {
  return attributes.vtep?.mac ?? '';
}

/** Nodes 1 to 4, this one is 1; how often each address was asked. */
function scene({ overdue = [overdueAt(2)], answering = [], routed = [2, 3, 4], openKube }: Scene) {
  const asked = new Map<string, number>();
  const host = {
    ...recordedHost({ connect: async () => 'silent' }),
    exec: async (argv: readonly string[]) => {
      const address = argv.at(-1) ?? '';
      asked.set(address, (asked.get(address) ?? 0) + 1);
      const received = answering.includes(address) ? 3 : 0;
      return { exitCode: received > 0 ? 0 : 1, stdout: statistics(received), stderr: '' };
    },
  };
  const options = { ...FLANNEL_DEFAULTS, kubeconfigFile: openKube === undefined ? '' : '/root/.kube/config' };
  const context = contextWith(host, {
    'flannel-start': flannelInstall({ options }),
    leases: listing(leaseAt(1), leaseAt(2), leaseAt(3), leaseAt(4)),
    'own-lease': leaseAt(1),
    'overdue-leases': overdue,
    'actual-overlay': programmed(routed),
  });
  return { asked, owners: leaseOwnersFact.collect(openKube === undefined ? context : { ...context, openKube }) };
}

describe('the owners of overdue leases', () => {
  it('are not asked where no lease of another host is overdue', async () => {
    const { owners, asked } = scene({ overdue: [overdueAt(1, { isOwn: true })] });
    expect(await owners).toEqual({ overdue: {}, controls: [] });
    expect([...asked]).toEqual([]);
  });

  it('are gone when they are silent both ways while another in time answers both', async () => {
    const { owners } = scene({ answering: ['192.168.77.3', '10.244.3.0'] });
    const { overdue, controls } = await owners;
    expect(controls).toEqual(['10.244.3.0-24', '10.244.4.0-24']);
    expect(overdue['10.244.2.0-24']).toEqual({
      verdict: 'silent',
      because: expect.stringContaining('192.168.77.2, 10.244.2.0'),
      asked: [
        { way: 'underlay-4', address: '192.168.77.2', result: 'silent' },
        { way: 'vxlan-4', address: '10.244.2.0', result: 'silent' },
      ],
      node: null,
    });
  });

  it.each([
    ['on the underlay', '192.168.77.2'],
    ['over the overlay', '10.244.2.0'],
  ])('are there when they answer %s', async (_, address) => {
    const { owners } = scene({ answering: [address, '192.168.77.3', '10.244.3.0'] });
    expect((await owners).overdue['10.244.2.0-24']?.verdict).toBe('answers');
  });

  it('are not known to be gone where nobody answers from here', async () => {
    expect((await scene({}).owners).overdue['10.244.2.0-24']?.verdict).toBe('unknown');
  });

  it('are asked once more when they were silent, as are those in time', async () => {
    const { owners, asked } = scene({ answering: ['192.168.77.3', '10.244.3.0'] });
    await owners;
    expect([asked.get('192.168.77.2'), asked.get('192.168.77.3')]).toEqual([2, 2]);
  });

  it('are not asked through an overlay that does not lead to them', async () => {
    const { owners, asked } = scene({ routed: [3], answering: ['192.168.77.3', '10.244.3.0'] });
    expect((await owners).overdue['10.244.2.0-24']?.verdict).toBe('unknown');
    expect(asked.has('10.244.2.0')).toBe(false);
  });

  it('are looked up among the Nodes where a Kubernetes API was named', async () => {
    const addresses = [{ type: 'InternalIP', address: '192.168.77.2' }];
    const node = { name: 'worker-2', addresses, flannelAnnotations: {}, podCidrs: [], podCidr: null, ready: null };
    const api: Partial<KubeApi> = {
      listNodes: async () => ({ nodes: [{ ...node, resourceVersion: '1' }], resourceVersion: '1' }),
    };
    const { owners } = scene({ openKube: async () => api as KubeApi });
    expect((await owners).overdue['10.244.2.0-24']?.node).toBe('worker-2');
  });

  it('are not known where that API cannot be asked', async () => {
    const { owners } = scene({ openKube: () => Promise.reject(new UnavailableError('unreachable', 'no API')) });
    await expect(owners).rejects.toThrow('no API');
  });
});
