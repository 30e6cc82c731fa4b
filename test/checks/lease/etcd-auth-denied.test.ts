import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-auth-denied.ts';
import type { AccessDenial } from '../../../src/facts/etcd-health.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

const endpoint = 'http://10.0.0.1:2379';
const READ: AccessDenial = { endpoint, action: 'read', words: 'wants a user name and a password' };
const WRITE: AccessDenial = { endpoint, action: 'write-leases', words: 'does not permit this user to do that' };

const judge = (denials: readonly AccessDenial[], username = '') =>
  check.evaluate({ denials, selection: etcdSelection({ username }) });

function summaryOf(denials: readonly AccessDenial[], username = '') {
  const [finding] = judge(denials, username);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

describe('etcd-auth-denied', () => {
  it('holds where nothing is denied', () => {
    expect(judge([], 'flannel')).toEqual([]);
  });

  it('finds an etcd that asks for a user which nobody gave', () => {
    expect(summaryOf([READ])).toBe(
      'etcd http://10.0.0.1:2379 wants a user name and a password, so flannel without a user cannot read the network configuration',
    );
  });

  it('finds a user that may read and not write, whose lease will run out', () => {
    expect(summaryOf([WRITE], 'flannel')).toBe(
      'etcd http://10.0.0.1:2379 does not permit this user to do that, so flannel as flannel cannot write a lease',
    );
  });

  it('gives an administrator the commands for the whole prefix', () => {
    const [finding] = judge([WRITE], 'flannel');
    expect(finding).toMatchObject({ about: ['node'], evidence: [{ what: 'write a lease as flannel' }] });
    expect(finding?.remedy?.commands).toContain(
      'etcdctl --endpoints=http://10.0.0.1:2379 --user=root role grant-permission flannel readwrite --prefix=true /coreos.com/network/',
    );
  });

  it('writes no name into a command that a shell would take apart', () => {
    expect(judge([WRITE], 'x; reboot')[0]?.remedy?.commands).toEqual([]);
  });
});
