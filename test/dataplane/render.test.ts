import { describe, expect, it } from 'vitest';
import { parseBatchErrors } from '../../src/dataplane/attempt.ts';
import { phasesOf, renderOperation } from '../../src/dataplane/batch.ts';
import type { Entry } from '../../src/dataplane/entry.ts';

const add = (entry: Entry) => renderOperation({ verb: 'add', entry, subject: 'node' });
const device = 'flannel.1';

describe('renderOperation', () => {
  const smuggled: readonly (readonly [string, Entry])[] = [
    ['device', { kind: 'address', device: 'flannel.1\nlink', address: '10.244.1.0/32' }],
    ['device that is an option', { kind: 'address', device: '-force', address: '10.244.1.0/32' }],
    ['address', { kind: 'address', device, address: '10.244.1.0/32 label x' }],
    ['address with leading zeros', { kind: 'address', device, address: '10.244.01.0/32' }],
    ['neighbour', { kind: 'neighbour', device, ip: '10.244.1.0\n', mac: '02:00:00:00:00:02', isPermanent: true }],
    ['MAC', { kind: 'fdb', device, mac: '02:00:00:00:00:02 dst', dst: '192.168.9.2', isPermanent: true }],
    ['gateway', { kind: 'route', dst: '10.244.2.0/24', via: 'x', device, isOnlink: true, metric: 0 }],
    ['metric', { kind: 'route', dst: '10.244.2.0/24', via: null, device, isOnlink: true, metric: 1.5 }],
  ];

  it.each(smuggled)('refuses to write a %s that was not validated', (_name, entry) => {
    expect(() => add(entry)).toThrow(TypeError);
  });

  it('names the metric only where it is not the one the kernel takes', () => {
    const route = { kind: 'route', via: null, device, isOnlink: false } as const;
    expect(add({ ...route, dst: '10.244.2.0/24', metric: 0 })).toEqual(['ip route add 10.244.2.0/24 dev flannel.1']);
    expect(add({ ...route, dst: 'fc00::/64', metric: 1024 })).toEqual(['ip route add fc00::/64 dev flannel.1']);
    expect(add({ ...route, dst: 'fc00::/64', metric: 5 })).toEqual(['ip route add fc00::/64 dev flannel.1 metric 5']);
  });
});

describe('phasesOf', () => {
  it('puts at most 2,500 lines into one batch', () => {
    const entry = (index: number): Entry => ({ kind: 'address', device, address: `10.244.${index % 256}.0/32` });
    const operations = Array.from(
      { length: 6000 },
      (_, index) => ({ verb: 'add', entry: entry(index), subject: 'node' }) as const,
    );
    expect(
      phasesOf({ operations })
        .flat()
        .map(({ lines }) => lines.length),
    ).toEqual([2500, 2500, 1000]);
  });
});

describe('parseBatchErrors', () => {
  it('reads the message before each line number (iproute2 6.1)', () => {
    const stderr =
      'RTNETLINK answers: File exists\nCommand failed -:3\nError: Nexthop has invalid gateway.\nCommand failed -:7\n';
    expect(parseBatchErrors(1, stderr)).toEqual({
      complaints: [
        { index: 2, message: 'RTNETLINK answers: File exists' },
        { index: 6, message: 'Error: Nexthop has invalid gateway.' },
      ],
      abort: undefined,
    });
  });

  it('sees that a batch ended early when the last message has no line number (iproute2 6.1)', () => {
    expect(parseBatchErrors(2, 'RTNETLINK answers: Invalid argument\n')).toEqual({
      complaints: [],
      abort: 'RTNETLINK answers: Invalid argument',
    });
  });
});
