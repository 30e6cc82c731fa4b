import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-v2-data.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

type V2 = Parameters<typeof check.evaluate>[0]['v2'];

const found: V2 = { kind: 'found', endpoint: 'http://10.0.0.1:2379', config: '{"Network":"10.5.0.0/16"}' };
const judge = (v2: V2) => check.evaluate({ v2, selection: etcdSelection() });

describe('etcd-v2-data', () => {
  it('holds where the v3 API has the configuration, whatever the v2 API still has', () => {
    expect(judge({ kind: 'not-asked' })).toEqual([]);
  });

  it('finds a configuration that only the v2 API shows', () => {
    const [finding] = judge(found);
    expect(finding).toMatchObject({
      about: ['node'],
      evidence: [
        {
          observed: '{"Network":"10.5.0.0/16"}',
          source: 'curl -s http://10.0.0.1:2379/v2/keys/coreos.com/network/config',
        },
        { observed: 'no such key', source: 'etcdctl get /coreos.com/network/config' },
      ],
      remedy: { automatic: 'no', actions: [] },
    });
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.summary([finding.values])).toBe(
      '/coreos.com/network/config exists only in the v2 API of etcd http://10.0.0.1:2379, which flannel does not read since v0.18.0',
    );
  });

  it.each([['empty'], ['not-offered']] as const)('does not take a v2 API that is %s for data', (kind) => {
    expect(judge({ kind })).toEqual([]);
  });
});
