import { describe, expect, it } from 'vitest';
import down from '../../../src/checks/link/flannel-link-down.ts';
import missing from '../../../src/checks/link/flannel-link-missing.ts';
import check from '../../../src/checks/link/flannel-link-no-address.ts';
import mtu from '../../../src/checks/link/mtu-mismatch.ts';
import {
  both,
  DEVICE_V6,
  overlayScene,
  reasonBetween,
  type SceneParts,
  withLinks,
  withoutEntries,
} from '../../support/overlay-builders.ts';

/** As the kernel leaves it: the last IPv4 address takes routes and neighbours along. */
const BARE = withoutEntries(['address', 'neighbour', 'route']);
const BARE_V6 = withoutEntries(['address', 'neighbour', 'route'], ({ device }) => device === DEVICE_V6);

describe('flannel-link-no-address', () => {
  it('holds while the device has its address', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('names the address that is not there', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: BARE }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe('flannel.1 has no address 10.244.1.0/32');
  });

  it('puts back the address, then what the kernel flushed with it', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: BARE, peers: 1 }));
    expect(finding?.remedy?.commands).toEqual([
      'ip address add 10.244.1.0/32 dev flannel.1',
      'ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1',
      'ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    ]);
    expect(finding?.remedy?.automatic).toBe('yes');
  });

  it('tells the address that is there instead, and does not claim that the kernel flushed anything', () => {
    const other = { kind: 'address', device: 'flannel.1', address: '169.254.9.9/16' } as const;
    const [finding] = check.evaluate(overlayScene({ kernel: (healthy) => ({ ...healthy, addresses: [other] }) }));
    expect(finding?.values).toMatchObject({ others: ['169.254.9.9/16'], left: {} });
  });

  const follows = (cause: typeof missing | typeof down | typeof mtu, parts: SceneParts) => {
    const scene = overlayScene(parts);
    const [of, own] = [cause.evaluate(scene)[0], check.evaluate(scene)[0]];
    return reasonBetween(check.causedBy, cause.id, { cause: of, own });
  };

  it('follows from a missing device', () => {
    const kernel = withoutEntries(['link', 'address', 'neighbour', 'fdb', 'route']);
    expect(follows(missing, { kernel })).toBe('flannel.1 does not exist, so nothing can carry the address');
  });

  it('follows from an IPv6 device that is down', () => {
    expect(follows(down, { dualStack: true, kernel: both(withLinks({ isUp: false }, DEVICE_V6), BARE_V6) })).toBe(
      'flannel-v6.1 is down; the kernel drops the IPv6 addresses of such a device',
    );
  });

  it('follows from an mtu that IPv6 does not work with', () => {
    expect(follows(mtu, { dualStack: true, kernel: both(withLinks({ mtuBytes: 1200 }, DEVICE_V6), BARE_V6) })).toBe(
      'the mtu of flannel-v6.1 is below 1280, where the kernel drops IPv6 addresses',
    );
  });

  const afterTheft = (usedBy: string) => {
    const own = check.evaluate(overlayScene({ kernel: BARE }))[0];
    const cause = {
      values: { kind: 'held', usedBy },
      about: ['node'],
      evidence: [{ what: 'subnet', observed: '', source: '' }],
    } as const;
    return reasonBetween(check.causedBy, 'lease-duplicate-subnet', { cause, own });
  };

  it('follows from a lease of another host on the subnet that the device uses', () => {
    expect(afterTheft('flannel.1')).toBe(
      'flannel.1 still carries the address of a subnet that another host leases now',
    );
  });

  it('does not follow from a lease of another host on a subnet that only a file names', () => {
    expect(afterTheft('/run/flannel/subnet.env')).toBeUndefined();
  });

  it('is a fault of its own where the device is down, because IPv4 addresses stay', () => {
    expect(follows(down, { kernel: both(withLinks({ isUp: false }), BARE) })).toBeUndefined();
  });
});
