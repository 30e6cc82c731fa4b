import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/netconf-range-invalid.ts';
import { parsedConfigFact } from '../../../src/facts/stored-config.ts';
import { configContext } from '../../support/config-context.ts';

const Backend = { Type: 'vxlan' };

async function judge(document: object, kind: 'etcd' | 'kube' = 'etcd') {
  const context = configContext({ text: JSON.stringify({ Backend, ...document }), kind });
  const config = await parsedConfigFact.collect(context);
  return check.evaluate({ datastore: { kind: 'etcd', prefix: '/coreos.com/network' }, config });
}

async function summaryOf(document: object) {
  const [finding] = await judge(document);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

describe('netconf-range-invalid', () => {
  it('holds for ranges that leave four subnets', async () => {
    expect(await judge({ Network: '10.244.0.0/16', SubnetLen: 18 })).toEqual([]);
  });

  it.each([
    [{ Network: '10.244.0.0/16', SubnetLen: 17 }, 'SubnetLen is 17, not 18 or more'],
    [{ Network: '10.244.0.0/29' }, 'Network is a /29, not /28 or larger'],
    [{ Network: '10.244.0.0/16', SubnetMin: '10.244.1.7' }, 'SubnetMin 10.244.1.7 is not the start of a /24'],
    [{ Network: '10.244.0.0/16', SubnetMax: '10.9.0.0' }, 'SubnetMax 10.9.0.0 is not in the network'],
    [{ Network: '10.244.0.0/16', EnableIPv6: true }, 'IPv6Network is missing'],
  ])('finds %j', async (document, problem) => {
    expect(await summaryOf(document)).toContain(problem);
  });

  it('tells every rule that is broken', async () => {
    const [finding] = await judge({ Network: '10.244.0.0/16', SubnetMin: '10.244.1.7', SubnetMax: '10.9.0.0' });
    expect(finding).toMatchObject({ about: ['node'], remedy: { automatic: 'no' } });
    expect(finding?.evidence).toHaveLength(2);
  });

  it('does not hold what is right with Kubernetes against it', async () => {
    expect(await judge({ Network: '10.244.0.0/29' }, 'kube')).toEqual([]);
  });
});
