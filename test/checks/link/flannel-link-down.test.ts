import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/link/flannel-link-down.ts';
import { both, DEVICE_V6, overlayScene, withLinks, withoutEntries } from '../../support/overlay-builders.ts';

/** As the kernel leaves it: routes and neighbours are flushed, FDB and the IPv4 address stay. */
const DOWN = both(withLinks({ isUp: false }), withoutEntries(['neighbour', 'route']));

describe('flannel-link-down', () => {
  it('holds while the device is up', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('says that the device is down', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: DOWN }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe('flannel.1 is down');
  });

  it('sets the device up and puts back what the kernel flushed', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: DOWN, peers: 1 }));
    expect(finding?.remedy?.commands).toEqual([
      'ip link set dev flannel.1 up',
      'ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1',
      'ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
    ]);
  });

  it('leaves a wrong mtu of the same device to the check that knows it', () => {
    const kernel = both(DOWN, withLinks({ mtuBytes: 1400 }));
    const [finding] = check.evaluate(overlayScene({ kernel }));
    expect(finding?.remedy?.commands.filter((command) => command.includes('mtu'))).toEqual([]);
  });

  it('puts the IPv6 address back, which the kernel takes from a device that is down', () => {
    const lost = withoutEntries(['address', 'neighbour', 'route'], ({ device }) => device === DEVICE_V6);
    const kernel = both(withLinks({ isUp: false }, DEVICE_V6), lost);
    const [finding] = check.evaluate(overlayScene({ dualStack: true, kernel }));
    expect(finding?.remedy?.commands).toContain('ip address add fd00:1::/128 dev flannel-v6.1 nodad');
  });

  it('does not mistake a missing device for one that is down', () => {
    expect(check.evaluate(overlayScene({ kernel: withoutEntries(['link']) }))).toEqual([]);
  });
});
