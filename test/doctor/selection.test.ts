import { describe, expect, it } from 'vitest';
import { selectChecks } from '../../src/doctor/selection.ts';
import { aCheck, edgeFrom } from '../support/checks.ts';

const checks = [
  aCheck('route-missing', { causedBy: [edgeFrom('flannel-link-down')] }),
  aCheck('flannel-link-down', { group: 'link', causedBy: [edgeFrom('subnet-env-missing')] }),
  aCheck('subnet-env-missing', { group: 'process' }),
  aCheck('fdb-missing'),
];
const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);

describe('choosing checks', () => {
  it('takes all without names', () => {
    expect(ids(selectChecks(checks, [], []).selected)).toEqual(ids(checks));
  });

  it('takes a group by its name', () => {
    expect(ids(selectChecks(checks, ['peers'], []).selected)).toEqual(['route-missing', 'fdb-missing']);
  });

  it('also looks for the possible causes, so that a consequence does not pass for a root', () => {
    const { needed } = selectChecks(checks, ['route-missing'], []);
    expect(ids(needed)).toEqual(['route-missing', 'flannel-link-down', 'subnet-env-missing']);
  });

  it('leaves out what is skipped', () => {
    expect(ids(selectChecks(checks, [], ['peers']).selected)).toEqual(['flannel-link-down', 'subnet-env-missing']);
  });

  it.each([
    [['backend'], []],
    [['route-missing'], ['peers']],
    [[], ['peers', 'link', 'process']],
  ])('refuses %j without %j, which leaves nothing to look at', (names, skipped) => {
    expect(() => selectChecks(checks, names, skipped)).toThrow(/^no check is left of /);
  });

  it('refuses an unknown name and says what may have been meant', () => {
    expect(() => selectChecks(checks, ['route-mising'], [])).toThrow(
      'there is no check or group "route-mising", did you mean route-missing?',
    );
  });
});
