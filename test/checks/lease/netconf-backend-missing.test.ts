import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/netconf-backend-missing.ts';
import { parsedConfigFact } from '../../../src/facts/stored-config.ts';
import { configContext } from '../../support/config-context.ts';

async function judge(document: unknown, kind: 'etcd' | 'kube' = 'etcd') {
  const context = configContext({ text: JSON.stringify(document), kind });
  return check.evaluate({ config: await parsedConfigFact.collect(context) });
}

async function summaryOf(document: unknown) {
  const [finding] = await judge(document);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

const Network = '10.244.0.0/16';

describe('netconf-backend-missing', () => {
  it.each([
    [{ Network, Backend: { Type: 'vxlan' } }],
    [{ Network, backend: { type: 'host-gw' } }],
    [{ Network, Backend: { Type: 'udp' } }],
    [{ Network, Backend: { Type: 'vxlna' } }],
  ])('holds for %j, which names one, rightly or not', async (document) => {
    expect(await judge(document)).toEqual([]);
  });

  it('finds a document without Backend, for which flannel takes udp', async () => {
    expect(await summaryOf({ Network })).toBe(
      'the network configuration has no Backend, so flannel takes udp, not vxlan',
    );
    expect(await judge({ Network })).toMatchObject([
      { about: ['node'], evidence: [{ what: 'Backend', observed: 'absent' }], remedy: { automatic: 'no' } },
    ]);
  });

  it.each([[{}], [null], [{ Port: 8472 }]])(
    'finds a Backend of %j, with which flannel does not start',
    async (Backend) => {
      expect(await summaryOf({ Network, Backend })).toContain('has no Type, so flannel does not start');
    },
  );

  it('applies to Kubernetes, too', async () => {
    const [finding] = await judge({ Network }, 'kube');
    expect(finding?.remedy?.commands).toEqual(['flannelctl config validate net-conf.json']);
  });
});
