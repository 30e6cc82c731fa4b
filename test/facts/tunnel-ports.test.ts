import { describe, expect, it } from 'vitest';
import { foreignPortFact } from '../../src/facts/tunnel-ports.ts';
import type { UdpOutcome } from '../../src/host/host.ts';
import { contextWith, desiredOverlay, peerOf } from '../support/probe-builders.ts';
import { recordedHost } from '../support/recorded.ts';

const VXLAN = {
  type: 'vxlan',
  vni: 1,
  port: null,
  outerMtuBytes: null,
  gbp: false,
  learning: false,
  directRouting: false,
};

/** What the ports of a peer that refused ours say, each time they are asked. */
function portOf(answer: (port: number, times: number) => UdpOutcome, udp: UdpOutcome = 'refused') {
  const asked = new Map<number, number>();
  const host = recordedHost({
    udp: async ({ port }) => {
      const times = (asked.get(port) ?? 0) + 1;
      asked.set(port, times);
      return answer(port, times);
    },
  });
  const values = {
    'desired-overlay': desiredOverlay(peerOf(2)),
    'udp-probe': { '10.244.2.0/24': udp },
    'vxlan-config': VXLAN,
  };
  return foreignPortFact.collect(contextWith(host, values));
}

describe('the port of a peer that refuses ours', () => {
  it('is the well-known one that is silent while the others refuse', async () => {
    expect(await portOf((port) => (port === 4789 ? 'silent' : 'refused'))).toEqual({ '10.244.2.0/24': 4789 });
  });

  it('is found although the peer sends one refusal a second at most', async () => {
    const limited = (port: number, times: number) => (port === 4789 || times % 2 === 1 ? 'silent' : 'refused');
    expect(await portOf(limited)).toEqual({ '10.244.2.0/24': 4789 });
  });

  it('is not known where every port refuses: the device is down or missing', async () => {
    expect(await portOf(() => 'refused')).toEqual({});
  });

  it('is not known where a filter drops what it does not know', async () => {
    expect(await portOf((port) => (port === 8472 ? 'refused' : 'silent'))).toEqual({});
  });

  it('is not taken from a silence that only the limit of refusals made', async () => {
    expect(await portOf((port, times) => (port === 4789 && times < 3 ? 'silent' : 'refused'))).toEqual({});
  });

  it('is not asked of a peer that is merely silent', async () => {
    const never = () => {
      throw new TypeError('was asked');
    };
    expect(await portOf(never, 'silent')).toEqual({});
  });
});
