import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlaps, parseCidr } from '../../src/net/cidr.ts';
import { type AllocationInput, decideAllocation, findOwnLease } from '../../src/store/allocation.ts';
import { decodeRecord } from '../../src/store/codec.ts';
import { checkNetworkConfig, parseNetworkConfig } from '../../src/store/config.ts';
import type { LeaseAttributes } from '../../src/store/store.ts';

const nothing = { backendType: '', vtep: null, vtepV6: null, backendData: null, backendV6Data: null };
const attributes: LeaseAttributes = { publicIp: '192.0.2.1', publicIpv6: null, ...nothing };

interface Given {
  readonly config?: object;
  /** Public IP by key. */
  readonly leases?: Readonly<Record<string, string>>;
  readonly previousSubnet?: string;
  readonly random?: (limit: number) => number;
}

function inputOf({ config, leases = {}, previousSubnet, random = () => 0 }: Given): AllocationInput {
  const document = { Network: '10.244.0.0/16', ...config };
  const base = { expiresAt: null, etcdLease: null, modRevision: '1' };
  return {
    config: checkNetworkConfig(parseNetworkConfig(JSON.stringify(document)).config).config,
    records: Object.entries(leases).map(([key, ip]) => decodeRecord({ ...base, key, value: `{"PublicIP":"${ip}"}` })),
    request: { attributes, ...(previousSubnet === undefined ? {} : { previousSubnet }) },
    random,
  };
}

test('chooses among the first hundred free subnets and no more', () => {
  const limits: number[] = [];
  const random = (limit: number) => {
    limits.push(limit);
    return limit - 1;
  };
  const decision = decideAllocation(inputOf({ random }));
  expect(limits).toEqual([100]);
  expect(decision).toMatchObject({ why: 'free', pair: { subnet: '10.244.100.0/24' } });
});

test('passes a large foreign network in one step', () => {
  const leases = { '10.244.0.0-17': '192.0.2.2' };
  expect(decideAllocation(inputOf({ leases }))).toMatchObject({ pair: { subnet: '10.244.128.0/24' } });
});

test('is out of subnets where a record claims everything, and does not spin', () => {
  const input = inputOf({ leases: { '0.0.0.0-0': '192.0.2.2' } });
  expect(() => decideAllocation(input)).toThrow('out of subnets');
});

test('finds the gap between IPv6 subnets of a large network', () => {
  const config = { EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00::/16' };
  const leases = { '0.0.0.0-0&fd00:0:0:1::-64': '0.0.0.0' };
  expect(decideAllocation(inputOf({ config, leases }))).toMatchObject({
    pair: { subnet: null, ipv6Subnet: 'fd00:0:0:2::/64' },
  });
});

test('takes no previous subnet from outside the range', () => {
  const config = { SubnetMin: '10.244.10.0', SubnetMax: '10.244.20.0' };
  expect(decideAllocation(inputOf({ config, previousSubnet: '10.244.30.0/24' }))).toMatchObject({ why: 'free' });
  expect(decideAllocation(inputOf({ config, previousSubnet: '10.244.15.0/24' }))).toMatchObject({ why: 'previous' });
});

test('says which own lease it gives up when the subnet length has changed', () => {
  const input = inputOf({ config: { SubnetLen: 25 }, leases: { '10.244.3.0-24': '192.0.2.1' } });
  expect(decideAllocation(input)).toMatchObject({ kind: 'create', replaces: { key: '10.244.3.0-24' } });
});

test('takes, of two leases of this node, the one it used', () => {
  const leases = { '10.244.3.0-24': '192.0.2.1', '10.244.4.0-24': '192.0.2.1' };
  const input = inputOf({ leases, previousSubnet: '10.244.4.0/24' });
  expect(decideAllocation(input)).toMatchObject({ kind: 'reuse', lease: { key: '10.244.4.0-24' } });
});

test('takes nobody for the owner where no address is known', () => {
  const { records } = inputOf({ leases: { '10.244.3.0-24': '0.0.0.0' } });
  expect(findOwnLease(records, { publicIp: null, publicIpv6: null }, () => false)).toBeUndefined();
});

test('never hands out what overlaps a record', () => {
  const key = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 17, max: 30 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 40 }), fc.nat(), (keys, seed) => {
      const leases = Object.fromEntries(keys.map(([octet, length]) => [`10.244.${octet}.0-${length}`, '192.0.2.2']));
      const input = inputOf({ leases, random: (limit) => (limit === 0 ? 0 : seed % limit) });
      const taken = input.records.flatMap((record) => parseCidr('subnet' in record ? (record.subnet ?? '') : '') ?? []);
      const outcome = attempt(() => decideAllocation(input));
      const subnet = outcome?.kind === 'create' ? parseCidr(outcome.pair.subnet ?? '') : undefined;
      return subnet === undefined ? outcome === undefined : !taken.some((other) => overlaps(subnet, other));
    }),
  );
});

/** `undefined`: out of subnets. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toMatchObject({ code: 'absent' });
    return undefined;
  }
}
