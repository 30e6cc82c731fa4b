import { describe, expect, it } from 'vitest';
import { subnetEnvFact } from '../../src/facts/subnet-env.ts';
import { collect, observe } from '../support/collect.ts';
import { forbidden, type RecordedFile, recordedHost } from '../support/recorded.ts';
import { procWith } from '../support/recorded-process.ts';

const PATH = '/run/flannel/subnet.env';
const given = { flannel: { subnetFile: PATH } };
const GOOD = 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n';

function hostWith(file: RecordedFile) {
  return recordedHost({ files: { [PATH]: file } });
}

async function problemsOf(text: string): Promise<readonly string[]> {
  return (await collect(subnetEnvFact, { host: hostWith(text), given })).problems;
}

describe('subnet.env', () => {
  it('is read as flannel writes it', async () => {
    const host = hostWith({ content: GOOD, modifiedAt: 1234 });
    expect(await collect(subnetEnvFact, { host, given })).toEqual({
      path: PATH,
      modifiedAt: 1234,
      networks: ['10.244.0.0/16'],
      subnet: '10.244.1.0/24',
      ipv6Networks: null,
      ipv6Subnet: null,
      mtuBytes: 1450,
      ipMasq: true,
      problems: [],
    });
  });

  it('may hold IPv6 alone', async () => {
    const text =
      'FLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00:0:0:1::1/64\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=false\n';
    expect(await collect(subnetEnvFact, { host: hostWith(text), given })).toMatchObject({
      subnet: null,
      ipv6Subnet: 'fc00:0:0:1::/64',
      ipMasq: false,
      problems: [],
    });
  });

  it('may list several networks', async () => {
    const text = GOOD.replace('10.244.0.0/16', '10.244.0.0/16,10.245.0.0/16');
    expect(await collect(subnetEnvFact, { host: hostWith(text), given })).toMatchObject({
      networks: ['10.244.0.0/16', '10.245.0.0/16'],
      problems: [],
    });
  });

  it.each([
    [
      'nothing',
      '',
      [
        'FLANNEL_NETWORK is missing',
        'FLANNEL_SUBNET is missing',
        'FLANNEL_MTU is missing',
        'FLANNEL_IPMASQ is missing',
      ],
    ],
    ['half a file', GOOD.slice(0, 59), ['FLANNEL_MTU is missing', 'FLANNEL_IPMASQ is missing']],
    [
      'a key without =',
      GOOD.replace('FLANNEL_MTU=1450', 'FLANNEL_MTU'),
      ['line 3 has no "=": FLANNEL_MTU', 'FLANNEL_MTU is missing'],
    ],
    ['quotes', GOOD.replace('=1450', '="1450"'), ['FLANNEL_MTU="1450" is not a number of bytes']],
    [
      'spaces around =',
      GOOD.replace('_MTU=', '_MTU = '),
      ['line 3 is not read: "FLANNEL_MTU " is no key', 'FLANNEL_MTU is missing'],
    ],
    [
      'export',
      GOOD.replace('FLANNEL_IPMASQ', 'export FLANNEL_IPMASQ'),
      ['line 4 is not read: "export FLANNEL_IPMASQ" is no key', 'FLANNEL_IPMASQ is missing'],
    ],
    [
      'an address without length',
      GOOD.replace('10.244.1.1/24', '10.244.1.1'),
      ['FLANNEL_SUBNET=10.244.1.1 is not an address with prefix length'],
    ],
    [
      'a list of subnets',
      GOOD.replace('10.244.1.1/24', '10.244.1.1/24,10.244.2.1/24'),
      ['FLANNEL_SUBNET=10.244.1.1/24,10.244.2.1/24 is not an address with prefix length'],
    ],
    [
      'an empty network in the list',
      GOOD.replace('/16', '/16,'),
      ['FLANNEL_NETWORK=10.244.0.0/16, is not a list of networks'],
    ],
    ['yes for true', GOOD.replace('true', 'yes'), ['FLANNEL_IPMASQ=yes is not true or false']],
  ])('tells of %s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems);
  });

  it('takes lines of Windows, comments and foreign keys as the CNI plugin does', async () => {
    expect(await problemsOf(`# mine\r\n${GOOD.replaceAll('\n', '\r\n')}\r\nOTHER=1\r\n`)).toEqual([]);
  });

  it('shows hostile text escaped and cut', async () => {
    const [problem = ''] = await problemsOf(`\u001b]0;owned\u0007${'x'.repeat(5000)}\n${GOOD}`);
    expect(problem).toMatch(/^line 1 has no "=": \\u001b\]0;owned\\u0007x+…$/);
  });

  it('does not grow with a file of garbage', async () => {
    expect((await problemsOf('garbage\n'.repeat(100_000))).length).toBeLessThan(50);
  });

  it('is absent where there is no file', async () => {
    expect(await observe(subnetEnvFact, { host: recordedHost(), given })).toEqual({
      status: 'absent',
      detail: `${PATH} does not exist`,
    });
  });

  it('is not absent where it may not be read', async () => {
    expect(await observe(subnetEnvFact, { host: hostWith(forbidden(PATH)), given })).toMatchObject({
      status: 'unknown',
      reason: 'permission',
    });
  });

  it('is looked for where the running flanneld writes it', async () => {
    const { files, links } = procWith({ pid: 812, argv: ['flanneld', '-subnet-file=/run/other.env'] });
    const host = recordedHost({ files: { ...files, '/run/other.env': GOOD }, links });
    expect(await collect(subnetEnvFact, { host })).toMatchObject({ path: '/run/other.env', mtuBytes: 1450 });
  });
});
