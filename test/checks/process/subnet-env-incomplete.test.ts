import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/process/subnet-env-incomplete.ts';
import type { SubnetEnv } from '../../../src/facts/subnet-env.ts';
import {
  ABSENT,
  flannelInstall,
  known,
  leaseOf,
  NETWORK_CONFIG,
  subnetEnv,
  UNDERLAY,
} from '../../support/probe-builders.ts';

const sources = {
  flannel: flannelInstall(),
  lease: known(leaseOf({ subnet: '10.244.1.0/24' })),
  config: known(NETWORK_CONFIG),
  underlay: known(UNDERLAY),
};
const BROKEN: Partial<SubnetEnv> = { mtuBytes: null, problems: ['FLANNEL_MTU is missing', 'line 2 has no "="'] };

describe('subnet-env-incomplete', () => {
  it('holds for a file that the plugin takes', () => {
    expect(check.evaluate({ file: subnetEnv(), ...sources })).toEqual([]);
  });

  it('fails with what the plugin would refuse, line by line', () => {
    const [finding] = check.evaluate({ file: subnetEnv(BROKEN), ...sources });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      '/run/flannel/subnet.env: FLANNEL_MTU is missing; line 2 has no "="',
    );
    expect(finding.about).toEqual(['node']);
    expect(finding.evidence.map(({ observed }) => observed)).toEqual(BROKEN.problems);
  });

  it('writes what flannel would write, when asked to', () => {
    const remedy = check.evaluate({ file: subnetEnv(BROKEN), ...sources })[0]?.remedy;
    const content =
      'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n';
    expect(remedy?.automatic).toBe('ask');
    expect(remedy?.actions).toEqual([{ kind: 'file', path: '/run/flannel/subnet.env', content, mode: 0o644 }]);
  });

  it('writes nothing without a lease of our own', () => {
    const remedy = check.evaluate({ file: subnetEnv(BROKEN), ...sources, lease: ABSENT })[0]?.remedy;
    expect(remedy).toMatchObject({ actions: [], commands: ['systemctl restart flanneld.service'] });
  });

  it('does not take a complete file with wrong values for an incomplete one', () => {
    expect(check.evaluate({ file: subnetEnv({ subnet: '10.244.9.0/24' }), ...sources })).toEqual([]);
  });
});
