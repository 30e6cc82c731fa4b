import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/link/flannel-link-incompatible.ts';
import { overlayScene, withLinks, withoutEntries } from '../../support/overlay-builders.ts';

describe('flannel-link-incompatible', () => {
  it('holds while the device is as configured', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('names each value that differs', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ port: 4789, local: '192.168.77.99' }) }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe(
      'flannel.1 has dstport 4789, not 8472, flannel.1 has local 192.168.77.99, not 192.168.77.1',
    );
  });

  it('has one piece of evidence for each difference', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ port: 4789, vni: 7 }) }));
    expect(finding?.evidence).toEqual([
      { what: 'VNI of flannel.1', observed: 7, expected: 1, source: 'ip -d link show flannel.1' },
      { what: 'dstport of flannel.1', observed: 4789, expected: 8472, source: 'ip -d link show flannel.1' },
    ]);
  });

  it('makes the device again with its MAC and all entries, after a question', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ port: 4789 }), peers: 1 }));
    expect(finding?.remedy?.commands.map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'ip link del',
      'ip link add',
      'ip link set',
      'ip address add',
      'bridge fdb replace',
      'ip neigh replace',
      'ip route add',
    ]);
    expect(finding?.remedy?.automatic).toBe('ask');
  });

  it('turns learning off on the living device', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ learning: true }) }));
    expect(finding?.remedy?.commands).toEqual(['ip link set dev flannel.1 type vxlan nolearning']);
  });

  it('says that a device of that name is none of vxlan, and does not delete it', () => {
    const [finding] = check.evaluate(
      overlayScene({
        kernel: (healthy) => ({ ...withoutEntries(['link'])(healthy), strangers: { 'flannel.1': 'bridge' } }),
      }),
    );
    expect(finding && check.say.en.summary([finding.values])).toBe('flannel.1 has kind bridge, not vxlan');
    expect(finding?.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('does not mistake another mtu, another MAC or a device that is down for an incompatible one', () => {
    const kernel = withLinks({ mtuBytes: 1400, mac: '02:00:00:00:00:77', isUp: false });
    expect(check.evaluate(overlayScene({ kernel }))).toEqual([]);
  });

  it('does not mistake a device bound to no interface for one bound to the wrong interface', () => {
    expect(check.evaluate(overlayScene({ kernel: withLinks({ underlay: null }) }))).toEqual([]);
  });
});
