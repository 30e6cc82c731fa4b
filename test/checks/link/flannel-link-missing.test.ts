import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/link/flannel-link-missing.ts';
import { macOf, overlayScene, withoutEntries } from '../../support/overlay-builders.ts';

const GONE = withoutEntries(['link', 'address', 'neighbour', 'fdb', 'route']);

describe('flannel-link-missing', () => {
  it('holds while the device is there', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('holds while the device is there and everything else is not', () => {
    const kernel = withoutEntries(['address', 'neighbour', 'fdb', 'route']);
    expect(check.evaluate(overlayScene({ kernel }))).toEqual([]);
  });

  it('names the device and the subnet of the lease', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: GONE }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe(
      'flannel.1 does not exist, although this node leases 10.244.1.0/24',
    );
  });

  it('shows how the reader sees the same', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: GONE }));
    expect(finding?.evidence[0]).toEqual({
      what: 'flannel.1',
      observed: 'does not exist',
      expected: 'vxlan device with VNI 1',
      source: 'ip -d link show flannel.1',
    });
  });

  it('makes the device with the MAC that the lease publishes, and then all that was on it', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: GONE, peers: 1 }));
    const commands = finding?.remedy?.commands ?? [];
    expect(commands[0]).toContain(`link add dev flannel.1 address ${macOf(1)}`);
    expect(commands.slice(1)).toEqual([
      'ip link set dev flannel.1 up',
      'ip address add 10.244.1.0/32 dev flannel.1',
      'bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.77.2 self permanent',
      'ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1',
      'ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    ]);
    expect(finding?.remedy?.automatic).toBe('ask');
  });

  it('only shows commands where the lease publishes no MAC', () => {
    const scene = overlayScene({ kernel: GONE });
    const operations = scene.plan.operations.map((operation) =>
      operation.entry.kind === 'link' ? { ...operation, entry: { ...operation.entry, mac: null } } : operation,
    );
    const [finding] = check.evaluate({ ...scene, plan: { operations } });
    expect(finding?.remedy).toMatchObject({ commands: ['flannelctl up --once'], actions: [], automatic: 'no' });
  });

  it('leaves a device of that name and of another kind to the check that knows it', () => {
    const kernel = (healthy: ReturnType<typeof GONE>) => ({ ...GONE(healthy), strangers: { 'flannel.1': 'bridge' } });
    expect(check.evaluate(overlayScene({ kernel }))).toEqual([]);
  });
});
