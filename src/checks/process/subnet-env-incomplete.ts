import { defineCheck, type Finding, type NonEmpty } from '../../doctor/check.ts';
import { rewriteRemedy } from '../../doctor/subnet-env-remedy.ts';
import { networkConfigFact, ownLeaseFact } from '../../facts/datastore.ts';
import { flannelFact } from '../../facts/flannel.ts';
import { underlayFact } from '../../facts/overlay.ts';
import { subnetEnvFact } from '../../facts/subnet-env.ts';

interface Values {
  readonly path: string;
  readonly problems: NonEmpty<string>;
}

export default defineCheck({
  id: 'subnet-env-incomplete',
  group: 'process',
  severity: 'error',
  repair: 'ask',
  needs: {
    file: subnetEnvFact,
    flannel: flannelFact,
    lease: { optional: ownLeaseFact },
    config: { optional: networkConfigFact },
    underlay: { optional: underlayFact },
  },
  say: {
    en: {
      title: 'the subnet file has every key that the CNI plugin needs',
      summary: ([{ path, problems }]: NonEmpty<Values>) => `${path}: ${problems.join('; ')}`,
      remedy: () => 'Restart flanneld, which writes the file anew.',
    },
    zh: {
      title: '子网文件含有 CNI 插件需要的每个键',
      summary: ([{ path, problems }]) => `${path}：${problems.join('；')}`,
      remedy: () => '重启 flanneld，由它重新写出该文件。',
    },
  },
  logs: [
    /subnet\.env is missing (FLANNEL_[A-Z0-9_]+(, )?)+/,
    /invalid CIDR address/,
    /Couldn't (fetch|parse) previous FLANNEL_/,
  ],
  proof: 'drill',
  evaluate: ({ file, ...rest }): readonly Finding<Values>[] => {
    const [first, ...more] = file.problems;
    if (first === undefined) return [];
    const evidence = (problem: string) => ({ what: file.path, observed: problem, source: `cat ${file.path}` });
    return [
      {
        values: { path: file.path, problems: [first, ...more] },
        about: ['node'],
        evidence: [evidence(first), ...more.map(evidence)],
        remedy: rewriteRemedy({ file, ...rest }),
      },
    ];
  },
});
