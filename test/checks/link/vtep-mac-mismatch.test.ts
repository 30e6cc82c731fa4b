import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/link/vtep-mac-mismatch.ts';
import { both, overlayScene, withLinks, withoutEntries } from '../../support/overlay-builders.ts';

/** As the kernel leaves it: a change of MAC flushes the neighbours. */
const CHANGED = both(withLinks({ mac: '02:00:00:00:00:77' }), withoutEntries(['neighbour']));

describe('vtep-mac-mismatch', () => {
  it('holds while the device has the published MAC', () => {
    expect(check.evaluate(overlayScene())).toEqual([]);
  });

  it('names both MACs', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: CHANGED }));
    expect(finding?.about).toEqual(['node']);
    expect(finding && check.say.en.summary([finding.values])).toBe(
      'flannel.1 has MAC 02:00:00:00:00:77, not 02:00:00:00:00:01 as published',
    );
  });

  it('sets the published MAC, then writes the neighbours again', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: CHANGED, peers: 1 }));
    expect(finding?.remedy?.commands).toEqual([
      'ip link set dev flannel.1 address 02:00:00:00:00:01',
      'ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 nud permanent dev flannel.1',
    ]);
    expect(finding?.remedy?.automatic).toBe('ask');
  });

  it('writes again also the neighbours that are there, because setting the MAC flushes them', () => {
    const [finding] = check.evaluate(overlayScene({ kernel: withLinks({ mac: '02:00:00:00:00:77' }), peers: 3 }));
    expect(finding?.remedy?.commands.filter((command) => command.startsWith('ip neigh'))).toHaveLength(3);
  });

  it('does not mistake a wrong MAC of a peer for one of this node', () => {
    const scene = overlayScene({
      kernel: (healthy) => ({
        ...healthy,
        neighbours: healthy.neighbours.map((entry) => ({ ...entry, mac: '02:00:00:00:00:77' })),
      }),
    });
    expect(check.evaluate(scene)).toEqual([]);
  });
});
