import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/link/mtu-mismatch.ts';
import type { InterfaceInfo } from '../../../src/facts/interfaces.ts';
import type { SubnetEnv } from '../../../src/facts/subnet-env.ts';
import { overlayScene, reasonBetween, withLinks } from '../../support/overlay-builders.ts';

describe('mtu-mismatch', () => {
  it('holds when device and pods fit the underlay', () => {
    const interfaces = [
      anInterface('cni0', { mtuBytes: 1450 }),
      anInterface('veth1', { mtuBytes: 1450, master: 'cni0' }),
    ];
    expect(check.evaluate(overlayScene({ interfaces }))).toEqual([]);
  });

  it('says what the mtu is and what it should be', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ mtuBytes: 1400 }) }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe('flannel.1 has mtu 1400, not 1450');
  });

  it('shows the mtu of the underlay, from which the other follows', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ mtuBytes: 1400 }) }));
    expect(finding?.evidence[1]).toEqual({
      what: 'mtu of eth0, the underlay',
      observed: 1500,
      source: 'ip link show eth0',
    });
  });

  it('raises an mtu only after a question', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ mtuBytes: 1400 }) }));
    expect(finding?.remedy).toMatchObject({ commands: ['ip link set dev flannel.1 mtu 1450'], automatic: 'ask' });
  });

  it('lowers an mtu by itself', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ mtuBytes: 8950 }) }));
    expect(finding?.remedy?.automatic).toBe('yes');
  });

  it('finds a bridge and its ports that send more than the overlay carries', () => {
    const interfaces = [
      anInterface('cni0', { mtuBytes: 1500 }),
      anInterface('veth1', { mtuBytes: 1500, master: 'cni0' }),
    ];
    const [finding] = check.evaluate(overlayScene({ interfaces }));
    expect(finding && check.say.en.summary([finding.values])).toBe(
      'the overlay carries 1450 bytes, but cni0 has mtu 1500, veth1 has mtu 1500',
    );
    expect(finding?.remedy).toMatchObject({ actions: [], automatic: 'no' });
  });

  it('follows from subnet.env where the pods have exactly the mtu it says', () => {
    const scene = overlayScene({ interfaces: [anInterface('cni0', { mtuBytes: 1500 })], subnetEnv: env(1500) });
    expect(fromSubnetEnv(scene)).toBe('the CNI plugin takes the mtu from FLANNEL_MTU=1500');
  });

  it('does not follow from subnet.env where the pods have another mtu', () => {
    const scene = overlayScene({ interfaces: [anInterface('cni0', { mtuBytes: 9000 })], subnetEnv: env(1500) });
    expect(fromSubnetEnv(scene)).toBeUndefined();
  });

  it('leaves a wrong FLANNEL_MTU alone to the check of that file', () => {
    expect(check.evaluate(overlayScene({ subnetEnv: env(1500) }))).toEqual([]);
  });

  it('does not mind pods with a smaller mtu, or interfaces that are none of theirs', () => {
    const interfaces = [anInterface('cni0', { mtuBytes: 1400 }), anInterface('docker0', { mtuBytes: 1500 })];
    expect(check.evaluate(overlayScene({ interfaces }))).toEqual([]);
  });
});

function fromSubnetEnv(scene: ReturnType<typeof overlayScene>): string | undefined {
  const cause = { values: {}, about: ['node'], evidence: [{ what: '', observed: '', source: '' }] } as const;
  return reasonBetween(check.causedBy, 'subnet-env-stale', { cause, own: check.evaluate(scene)[0] });
}

function anInterface(name: string, parts: Partial<InterfaceInfo>): InterfaceInfo {
  return {
    index: 5,
    name,
    kind: 'bridge',
    mtuBytes: 1450,
    mac: '02:00:00:00:00:aa',
    isUp: true,
    hasCarrier: true,
    master: null,
    addresses: [],
    vxlan: null,
    counters: null,
    ...parts,
  };
}

function env(mtuBytes: number): { readonly status: 'known'; readonly value: SubnetEnv } {
  const value = {
    path: '/run/flannel/subnet.env',
    modifiedAt: 0,
    networks: ['10.244.0.0/16'],
    subnet: '10.244.1.0/24',
    ipv6Networks: null,
    ipv6Subnet: null,
    mtuBytes,
    ipMasq: true,
    problems: [],
  };
  return { status: 'known', value };
}
