import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/doctor/report.ts';
import type { DrillNode } from '../../src/drill/fault.ts';
import {
  document,
  EXECUTABLE,
  first,
  flannelctl,
  inNode,
  onMachine,
  putConfig,
  report,
  rootsOf,
} from './doctor-lab.ts';
import { type Lab, openLab } from './drill-lab.ts';

/** Four English words in a row: a sentence that nobody has translated. A rule has a name of many words. */
const SENTENCE = /(?<![\w/.-])[A-Za-z']+(?: [a-z']+){3}/;

const RULE = /nft rule [\w ]+ handle \d+/;

let lab: Lab;
let node: DrillNode;

beforeAll(async () => {
  lab = await openLab({ nodes: 2 });
  node = first(lab);
});
afterAll(() => lab.remove());

/** All that a report says in sentences: evidence names things, commands are commands. */
function sentences({ checks, errors }: DoctorReport): readonly string[] {
  return [
    ...checks.flatMap(({ title, summary, causedBy, remedy }) => [
      ...[title, summary, ...causedBy.map(({ because }) => because)],
      ...(remedy === undefined ? [] : [remedy.text, remedy.risk]),
    ]),
    ...errors,
  ];
}

const english = (found: DoctorReport) =>
  sentences(found).filter((sentence) => SENTENCE.test(sentence.replace(RULE, '')));
const zh = (...words: readonly string[]) => report(node, '--lang', 'zh', ...words);

describe('a report in Chinese', () => {
  it.each([
    'vxlan-port-blocked-nft-set',
    'fdb-missing',
    'subnet-env-stale',
    'underlay-unreachable',
    'flanneld-not-running',
  ])('of %s leaves no sentence in English', async (fault) => {
    onMachine(['drill', 'break', fault, '--tag', lab.record.tag]);
    const found = await zh();
    onMachine(['drill', 'heal', fault, '--tag', lab.record.tag]);
    expect(rootsOf(found).length).toBe(1);
    expect(english(found)).toEqual([]);
  });

  it('of a node where nothing may be looked at leaves none', async () => {
    const argv = ['--reuid=54321', '--regid=54321', '--clear-groups', EXECUTABLE, 'doctor', '-o', 'json'];
    expect(english(document(await inNode(node, ['setpriv', ...argv, '--lang', 'zh', '--probe', 'passive'])))).toEqual(
      [],
    );
  });

  it.each([
    ['refuses', 'http://192.168.10.1:1', '1s'],
    ['has a name that does not resolve', 'http://nowhere.invalid:2379', '2s'],
  ])('of an etcd that %s leaves none', async (_what, endpoint, timeout) => {
    expect(english(await zh('--etcd-endpoints', endpoint, '--timeout', timeout, '--probe', 'passive'))).toEqual([]);
  });

  it('is in Chinese because the environment says so', async () => {
    const { stdout } = await inNode(node, ['env', 'LC_ALL=zh_CN.UTF-8', EXECUTABLE, 'doctor', 'link']);
    expect(stdout).toMatch(/^\[ok\] {3}flannel-link-down: .*[\u4e00-\u9fff]/m);
  });

  it('heads with words of its own', async () => {
    const { stdout } = await flannelctl(node, 'doctor', 'link', '--lang', 'zh');
    expect(stdout.split('\n')[0]).toMatch(/，经 eth0 192\.168\.10\.11 · 子网 10\.244\.1\.0\/24 · 1 个对端节点$/);
  });

  describe('of a network configuration', () => {
    const good = '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}';
    afterEach(() => putConfig(lab, good));

    it.each(['junk', '[]', '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":-1}}'])(
      '%s leaves none',
      async (config) => {
        await putConfig(lab, config);
        expect(english(await zh('--probe', 'passive'))).toEqual([]);
      },
    );
  });
});
