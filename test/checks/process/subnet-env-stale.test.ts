import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/process/subnet-env-stale.ts';
import type { SubnetEnv } from '../../../src/facts/subnet-env.ts';
import {
  actualOverlay,
  flannelInstall,
  known,
  leaseOf,
  linkOf,
  NETWORK_CONFIG,
  subnetEnv,
  UNDERLAY,
} from '../../support/probe-builders.ts';

const evaluate = (more: Partial<SubnetEnv>, linkMtuBytes = 1450) =>
  check.evaluate({
    file: subnetEnv(more),
    lease: leaseOf({ subnet: '10.244.1.0/24' }),
    config: NETWORK_CONFIG,
    underlay: known(UNDERLAY),
    actual: known({ ...actualOverlay(), links: [linkOf({ mtuBytes: linkMtuBytes })] }),
    flannel: flannelInstall(),
  });
const summaryOf = (more: Partial<SubnetEnv>, linkMtuBytes?: number) => {
  const [finding] = evaluate(more, linkMtuBytes);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
};

describe('subnet-env-stale', () => {
  it('holds for the file that flannel would write', () => {
    expect(evaluate({})).toEqual([]);
  });

  it('fails for a subnet that is not that of our lease', () => {
    const [finding] = evaluate({ subnet: '10.244.9.0/24' });
    expect(summaryOf({ subnet: '10.244.9.0/24' })).toBe(
      '/run/flannel/subnet.env has FLANNEL_SUBNET 10.244.9.0/24, not 10.244.1.0/24',
    );
    expect(finding?.about).toEqual(['node']);
    expect(finding?.evidence).toHaveLength(1);
    expect(finding?.evidence[0]).toMatchObject({ observed: '10.244.9.0/24', expected: '10.244.1.0/24' });
  });

  it('writes the file anew only when asked to', () => {
    const remedy = evaluate({ subnet: '10.244.9.0/24' })[0]?.remedy;
    expect(remedy?.automatic).toBe('ask');
    expect(remedy?.actions[0]).toMatchObject({
      kind: 'file',
      content: expect.stringContaining('FLANNEL_SUBNET=10.244.1.1/24\n'),
    });
  });

  it('fails for a network that is not configured', () => {
    expect(summaryOf({ networks: ['10.5.0.0/16'] })).toContain('FLANNEL_NETWORK 10.5.0.0/16, not 10.244.0.0/16');
  });

  it('fails for an mtu that neither the underlay nor the device explains', () => {
    expect(summaryOf({ mtuBytes: 1400 })).toContain('FLANNEL_MTU 1400, not 1450');
  });

  it('does not blame the file for an mtu it shares with the device', () => {
    expect(evaluate({ mtuBytes: 1400 }, 1400)).toEqual([]);
  });

  it('does not blame a right file for the mtu of the device', () => {
    expect(evaluate({}, 1300)).toEqual([]);
  });

  it('takes one of several networks for the configured one', () => {
    expect(evaluate({ networks: ['10.5.0.0/16', '10.244.0.0/16'] })).toEqual([]);
  });

  it('leaves what is missing to another check', () => {
    expect(evaluate({ mtuBytes: null, subnet: null, networks: null, problems: ['FLANNEL_MTU is missing'] })).toEqual(
      [],
    );
  });
});
