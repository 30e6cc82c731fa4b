import { describe, expect, it } from 'vitest';
import { ownDirectRoutes } from '../../src/agent/direct-routes.ts';
import type { ActualOverlay, DesiredOverlay, RouteEntry } from '../../src/dataplane/entry.ts';
import { planOverlay } from '../../src/dataplane/plan.ts';

function direct(dst: string, via: string, protocol?: string): RouteEntry {
  const rest = { kind: 'route', device: null, isOnlink: false, metric: 0 } as const;
  return { ...rest, dst, via, ...(protocol !== undefined && { protocol }) };
}

function desired(...routes: readonly RouteEntry[]): DesiredOverlay {
  const entries = routes.map((entry) => ({ entry, subject: { subnet: entry.dst, publicIp: entry.via ?? '' } }));
  return { entries, devices: ['flannel.1'], networks: ['10.244.0.0/16'], peers: [], ignored: [] };
}

function kernel(...routes: readonly RouteEntry[]): ActualOverlay {
  return { links: [], strangers: {}, addresses: [], neighbours: [], fdb: [], routes };
}

const GONE = direct('10.244.2.0/24', '192.168.9.2');
const MOVED = direct('10.244.2.0/24', '192.168.9.42');
const STAYS = direct('10.244.3.0/24', '192.168.9.3');

describe('the direct routes of the agent', () => {
  it('are remembered as long as the kernel holds them', () => {
    const kept = ownDirectRoutes([GONE, STAYS], desired(STAYS), kernel(GONE, STAYS));
    expect(kept).toEqual([STAYS, GONE]);
    expect(ownDirectRoutes(kept, desired(STAYS), kernel(STAYS))).toEqual([STAYS]);
  });

  it('go when their peer has left', () => {
    const overlay = { ...desired(STAYS), directRoutes: [STAYS, GONE] };
    const { operations } = planOverlay(overlay, kernel(GONE, STAYS), { removals: true });
    expect(operations.filter(({ verb }) => verb !== 'keep')).toEqual([
      { verb: 'delete', entry: GONE, subject: 'node' },
    ]);
  });

  it('are replaced when their peer has another address', () => {
    const overlay = { ...desired(MOVED), directRoutes: [MOVED, GONE] };
    const { operations } = planOverlay(overlay, kernel(GONE), { removals: true });
    expect(operations).toEqual([expect.objectContaining({ verb: 'replace', entry: MOVED, before: GONE })]);
  });

  it('are not what a routing daemon has made by the same gateway, nor what nobody remembers', () => {
    const daemon = direct('10.244.2.0/24', '192.168.9.2', 'bird');
    for (const [past, there] of [
      [[GONE], daemon],
      [[], GONE],
    ] as const) {
      const overlay = { ...desired(STAYS), directRoutes: past };
      const { operations } = planOverlay(overlay, kernel(there, STAYS), { removals: true });
      expect(operations.map(({ verb }) => verb)).toEqual(['keep']);
    }
  });
});
