import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/process/subnet-env-missing.ts';
import type { FlannelInstall } from '../../../src/facts/flannel.ts';
import { ABSENT, actualOverlay, flannelInstall, known, subnetEnv } from '../../support/probe-builders.ts';

const NO_DEVICE = known({ ...actualOverlay(), links: [] });
const missing = (more: Partial<FlannelInstall> = {}, actual = known(actualOverlay())) => {
  const [finding] = check.evaluate({ file: ABSENT, flannel: flannelInstall(more), actual });
  if (finding === undefined) throw new Error('nothing was found');
  return finding;
};
const blamesProcess = (finding: ReturnType<typeof missing>) =>
  check.causedBy?.[0]?.because({ values: {}, about: ['node'], evidence: finding.evidence }, finding);

describe('subnet-env-missing', () => {
  it('holds where there is a file', () => {
    expect(check.evaluate({ file: known(subnetEnv()), flannel: flannelInstall(), actual: ABSENT })).toEqual([]);
  });

  it('fails where there is none, and has flanneld write it', () => {
    const finding = missing();
    expect(check.say.en.summary([finding.values])).toBe(
      '/run/flannel/subnet.env does not exist, so no pod can get an address',
    );
    expect(finding.about).toEqual(['node']);
    expect(finding.remedy).toMatchObject({
      commands: ['systemctl restart flanneld.service'],
      actions: [],
      automatic: 'no',
    });
  });

  it('offers our own agent only where no flanneld runs', () => {
    expect(missing({ unit: null, process: null }).remedy?.commands).toEqual(['flannelctl up --once']);
    expect(missing({ unit: null }).remedy?.commands).toEqual([]);
  });

  it('follows from a flanneld that has not come up since the boot', () => {
    expect(blamesProcess(missing({ process: null }, NO_DEVICE))?.en).toContain('since the boot');
  });

  it('does not follow from a flanneld that has ended, which leaves the file', () => {
    expect(blamesProcess(missing({ process: null }))).toBeUndefined();
  });
});
