import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/process/flanneld-not-running.ts';
import type { FlannelInstall } from '../../../src/facts/flannel.ts';
import { flannelInstall } from '../../support/probe-builders.ts';

const evaluate = (more: Partial<FlannelInstall>) => check.evaluate({ flannel: flannelInstall(more) });

describe('flanneld-not-running', () => {
  it('holds while an owner of the overlay runs', () => {
    expect(evaluate({})).toEqual([]);
  });

  it('fails where a unit should have started it, and says how to', () => {
    const [finding] = evaluate({ process: null });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('no flanneld runs, though flanneld.service should start it');
    expect(finding.about).toEqual(['node']);
    expect(finding.evidence[0]).toMatchObject({ observed: 0, expected: 1 });
    expect(finding.remedy).toMatchObject({
      commands: ['systemctl start flanneld.service'],
      automatic: 'ask',
      actions: [],
    });
  });

  it('says that it does not know how to start it where only traces are left', () => {
    const [finding] = evaluate({ process: null, unit: null, deployment: 'none', datastore: null });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe('no flanneld runs, though flannel.1 shows that it did');
    expect(check.say.en.remedy([finding.values])).toContain('nothing here says how it was started');
    expect(finding.remedy?.commands).toEqual([]);
    expect(finding.evidence).toContainEqual(expect.objectContaining({ what: 'datastore', observed: null }));
  });

  it('never puts a unit name into a command that is more than a name', () => {
    const [finding] = evaluate({ process: null, unit: 'x; reboot' });
    expect(finding?.remedy?.commands).toEqual([]);
  });

  it('does not take a flanneld that is stopped by a signal for one that is not there', () => {
    expect(evaluate({ process: { pid: 812, name: 'flanneld', startedAt: 0, state: 'T' } })).toEqual([]);
  });

  it('does not miss a flannel that runs inside k3s', () => {
    expect(
      evaluate({ deployment: 'k3s', unit: 'k3s.service', process: { pid: 7, name: 'k3s', startedAt: 0, state: 'S' } }),
    ).toEqual([]);
  });

  it('says nothing of a host that never had flannel', () => {
    expect(evaluate({ deployment: 'none', process: null, unit: null, traces: [] })).toEqual([]);
  });
});
