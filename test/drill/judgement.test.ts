import { describe, expect, it } from 'vitest';
import { judge } from '../../src/drill/judgement.ts';

const blocked = { check: 'vxlan-port-blocked', also: ['peers-unreachable'] };
const seen = (roots: readonly string[], failing: readonly string[] = roots) => ({ roots, failing });

describe('judging what doctor said of a broken node', () => {
  it('finds the fault as the only root, with its announced consequences', () => {
    const said = seen(['vxlan-port-blocked'], ['vxlan-port-blocked', 'peers-unreachable']);
    expect(judge([blocked], said)).toEqual({ found: true, falseRoots: [], unannounced: [] });
  });

  it('does not count a fault that is only a consequence of something else', () => {
    const said = seen(['ip-forward-off'], ['ip-forward-off', 'vxlan-port-blocked']);
    expect(judge([blocked], said)).toMatchObject({ found: false, falseRoots: ['ip-forward-off'] });
  });

  it('calls an announced consequence a false root when it is told as one', () => {
    const said = seen(['vxlan-port-blocked', 'peers-unreachable']);
    expect(judge([blocked], said)).toMatchObject({ found: true, falseRoots: ['peers-unreachable'] });
  });

  it('tells a failure that nobody announced, though it is no root', () => {
    const said = seen(['vxlan-port-blocked'], ['vxlan-port-blocked', 'mtu-mismatch']);
    expect(judge([blocked], said).unannounced).toEqual(['mtu-mismatch']);
  });

  it('needs every fault of a pair as a root', () => {
    const pair = [blocked, { check: 'fdb-missing', also: ['peers-unreachable'] }];
    expect(judge(pair, seen(['vxlan-port-blocked'], ['vxlan-port-blocked', 'fdb-missing'])).found).toBe(false);
    expect(judge(pair, seen(['vxlan-port-blocked', 'fdb-missing'])).found).toBe(true);
  });
});
