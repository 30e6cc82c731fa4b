import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/netconf-malformed.ts';
import { storedConfigFact } from '../../../src/facts/stored-config.ts';
import type { SubnetStore } from '../../../src/store/store.ts';
import { configContext } from '../../support/config-context.ts';
import { anInstall } from '../../support/etcd-selection.ts';

async function judge(text: string, kind: SubnetStore['kind'] = 'etcd') {
  const stored = await storedConfigFact.collect(configContext({ text, kind }));
  return check.evaluate({ stored, flannel: anInstall({ unit: 'flanneld.service' }) });
}

async function summaryOf(text: string) {
  const [finding] = await judge(text);
  return finding === undefined ? undefined : check.say.en.summary([finding.values]);
}

describe('netconf-malformed', () => {
  it.each([
    '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}',
    '{"network":"10.244.0.0/16","BACKEND":{"type":"VXLAN"},"Unknown":[1]}',
    '{"Network":"10.244.0.0/29"}',
  ])('holds for %s, which flannel parses', async (text) => {
    expect(await judge(text)).toEqual([]);
  });

  it.each([
    ['{"Network":"10.244.0.0/16",}', 'a comma before a closing bracket'],
    ['\ufeff{"Network":"10.244.0.0/16"}', 'a byte order mark'],
    ['{\n// ours\n"Network":"10.244.0.0/16"}', 'a comment'],
    ['{“Network”:"10.244.0.0/16"}', 'typographic quotation marks'],
    ['{"Network":"10.244.0.0"}', 'a network without the length of its prefix'],
    ['{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":"1"}}', 'a number in quotation marks'],
    ['', 'nothing but white space'],
  ])('says of %j what is likely wrong', async (text, hint) => {
    expect(await summaryOf(text)).toContain(hint);
  });

  it('names the member that has another type', async () => {
    expect(await summaryOf('{"Network":"10.244.0.0/16","EnableIPv6":"yes"}')).toBe(
      'EnableIPv6 of the network configuration is "yes", not true or false',
    );
  });

  it('shows the text without what would act on a terminal', async () => {
    const [finding] = await judge('{\u001b[2J');
    expect(finding).toMatchObject({
      about: ['node'],
      evidence: [{ what: 'network configuration', observed: '{\\u001b[2J' }, {}],
      remedy: {
        automatic: 'no',
        commands: [expect.any(String), expect.any(String), 'systemctl restart flanneld.service'],
      },
    });
  });

  it('does not send anybody to the datastore for a file of Kubernetes', async () => {
    const [finding] = await judge('{', 'kube');
    expect(finding?.remedy?.commands).not.toContain('flannelctl config set net-conf.json');
  });
});
