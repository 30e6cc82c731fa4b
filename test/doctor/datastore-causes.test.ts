import { describe, expect, it } from 'vitest';
import { causesBefore, DATASTORE_CAUSES, startCauses } from '../../src/doctor/datastore-causes.ts';
import { diagnose } from '../../src/doctor/diagnose.ts';
import { aCheck, aFinding, failed, undecided } from '../support/checks.ts';

const REFUSED = 'etcd http://10.0.0.1:2379 refused the connection';
const reader = aCheck('route-missing', { causedBy: DATASTORE_CAUSES });
const cause = (id: string) => failed(aCheck(id), aFinding('node'));

function explainedBy(id: string, detail: string) {
  return diagnose([cause(id), undecided(reader, detail)]).rootCauses[0]?.explains;
}

describe('a check that reads the datastore', () => {
  it.each(['etcd-unreachable', 'etcd-tls', 'etcd-auth-denied'])('is undecided because of %s', (id) => {
    expect(explainedBy(id, REFUSED)).toEqual(['route-missing']);
  });

  it('is not undecided because of etcd when something else could not be read', () => {
    expect(explainedBy('etcd-unreachable', 'nft needs root')).toEqual([]);
  });

  it('is undecided because of a slow etcd only when it waited in vain', () => {
    expect(explainedBy('datastore-slow', 'etcd http://10.0.0.1:2379 did not answer within 3.5 s')).toHaveLength(1);
    expect(explainedBy('datastore-slow', REFUSED)).toEqual([]);
  });

  it('is undecided because of a configuration that is refused, where that one is named', () => {
    const source = aFinding('node').evidence[0].source;
    expect(explainedBy('netconf-malformed', `it is not JSON (${source})`)).toEqual(['route-missing']);
    expect(explainedBy('netconf-malformed', REFUSED)).toEqual([]);
  });

  it('has no finding explained away by these', () => {
    const missing = failed(reader, aFinding('subnet:10.244.2.0/24'));
    const roots = diagnose([cause('etcd-unreachable'), missing]).rootCauses;
    expect(roots.map(({ failure }) => failure.outcome.check.id).toSorted()).toEqual([
      'etcd-unreachable',
      'route-missing',
    ]);
  });
});

describe('the order of the causes', () => {
  it('lets none be caused by itself or by one after it', () => {
    const ids = DATASTORE_CAUSES.map(({ id }) => id);
    for (const [at, id] of ids.entries()) {
      if (id !== 'flanneld-not-running') expect(causesBefore(id).map((edge) => edge.id)).toEqual(ids.slice(0, at));
    }
  });

  it('gives a check that is in no list all that keeps an answer back', () => {
    expect(causesBefore('etcd-nospace').map(({ id }) => id)).toContain('datastore-slow');
    expect(causesBefore('etcd-nospace').map(({ id }) => id)).not.toContain('netconf-malformed');
  });
});

describe('what flannel makes at its start', () => {
  const file = (isFirst: boolean) => aCheck('subnet-env-missing', { causedBy: startCauses(() => isFirst) });
  const rootsWith = (isFirst: boolean) =>
    diagnose([cause('etcd-config-missing'), failed(file(isFirst), aFinding('node'))]).rootCauses.length;

  it('is missing because flannel waits for its configuration', () => {
    expect(rootsWith(true)).toBe(1);
  });

  it('is missing for a reason of its own where flannel had come further', () => {
    expect(rootsWith(false)).toBe(2);
  });
});
