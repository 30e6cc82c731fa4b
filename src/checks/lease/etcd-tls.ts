import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type Evidence, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { type EtcdSelection, etcdSelectionFact, type TlsProblem } from '../../facts/etcd.ts';
import { etcdTlsFact, type TlsTrouble } from '../../facts/etcd-health.ts';

interface Values {
  readonly endpoints: readonly { readonly endpoint: string; readonly problem: TlsProblem; readonly words: string }[];
}

export default defineCheck({
  id: 'etcd-tls',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { tls: etcdTlsFact, selection: etcdSelectionFact },
  causedBy: causesBefore('etcd-tls'),
  say: {
    en: {
      title: 'TLS to etcd works with the files that flannel is given',
      summary: ([{ endpoints }]: NonEmpty<Values>) =>
        nameEn(endpoints.map(({ endpoint, words }) => `etcd ${endpoint} ${words}`)),
      remedy: ([{ endpoints }]) => nameEn(endpoints.map(({ problem }) => SAID[problem].en)),
    },
    zh: {
      title: '用 flannel 的证书文件能与 etcd 建立 TLS',
      summary: ([{ endpoints }]) =>
        nameZh(endpoints.map(({ endpoint, problem }) => `etcd ${endpoint}：${SAID[problem].what}`)),
      remedy: ([{ endpoints }]) => nameZh(endpoints.map(({ problem }) => SAID[problem].zh)),
    },
  },
  logs: [
    /x509: certificate (signed by unknown authority|has expired|is valid for)/,
    /remote error: tls/,
    /no certificate provided: connecting to etcd with http/,
  ],
  proof: 'drill',
  evaluate: ({ tls, selection }) => {
    if (tls.isServed) return [];
    const [first, ...more] = tls.troubles.flatMap((trouble) => evidenceOf(trouble, selection));
    if (first === undefined) return [];
    const endpoints = tls.troubles.map(({ endpoint, outcome: { problem, words } }) => ({ endpoint, problem, words }));
    return [
      {
        values: { endpoints },
        about: ['node'],
        evidence: [first, ...more],
        remedy: { commands: commandsFor(tls.troubles, selection), actions: [], automatic: 'no', risk: RISK },
      },
    ];
  },
});

function evidenceOf(
  { endpoint, outcome }: TlsTrouble,
  { caFile, certFile, keyFile }: EtcdSelection,
): readonly Evidence[] {
  const { words, certificate } = outcome;
  const source = showCommand(endpoint) ?? `curl -v ${endpoint}/health`;
  const files = `--etcd-cafile=${caFile} --etcd-certfile=${certFile} --etcd-keyfile=${keyFile}`;
  const handshake = { what: `TLS to ${endpoint}`, observed: words, expected: 'a connection', source };
  const given = { what: 'TLS files of flannel', observed: files, source: 'flannelctl doctor -o json' };
  if (certificate === null) return [handshake, given];
  const { subject, issuer, names, validFrom, validTo } = certificate;
  const from = `${day(validFrom)} to ${day(validTo)}`;
  const shown = `${subject} (${names || 'no names'}), signed by ${issuer}, valid from ${from}`;
  return [handshake, { what: `certificate of ${endpoint}`, observed: shown, source }, given];
}

function day(at: number): string {
  return Number.isNaN(at) ? 'an unreadable date' : new Date(at).toISOString();
}

function commandsFor(troubles: readonly TlsTrouble[], { certFile }: EtcdSelection): readonly string[] {
  const shown = troubles.flatMap(({ endpoint }) => showCommand(endpoint) ?? []);
  const own = /^[\w./-]+$/.test(certFile)
    ? [`openssl x509 -in ${certFile} -noout -subject -issuer -dates -ext subjectAltName`]
    : [];
  return [...shown, ...own];
}

function showCommand(endpoint: string): string | undefined {
  const address = /^https?:\/\/([\w.:[\]-]+)\/?$/.exec(endpoint)?.[1];
  return address === undefined ? undefined : `openssl s_client -connect ${address} -showcerts </dev/null`;
}

interface Said {
  readonly what: string;
  readonly en: string;
  readonly zh: string;
}

const SAID: Readonly<Record<TlsProblem, Said>> = {
  'unknown-authority': {
    what: '其证书不是由 flannel 信任的 CA 签发的',
    en: 'Give flannel the CA that signed the certificate of etcd, with --etcd-cafile, --etcd-certfile and --etcd-keyfile.',
    zh: '用 --etcd-cafile、--etcd-certfile 和 --etcd-keyfile 向 flannel 提供签发 etcd 证书的 CA。',
  },
  'ca-ignored': {
    what: '未给出证书和密钥，flannel 因此忽略了 --etcd-cafile',
    en: 'Give flannel --etcd-certfile and --etcd-keyfile, too: without both it does not look at --etcd-cafile.',
    zh: '同时给出 --etcd-certfile 和 --etcd-keyfile：缺少其一，flannel 就不看 --etcd-cafile。',
  },
  'other-name': {
    what: '其证书属于另一个名称',
    en: 'Write a name of the certificate into --etcd-endpoints, or issue one for this name.',
    zh: '在 --etcd-endpoints 中使用证书里的名称，或为该名称签发证书。',
  },
  'out-of-date': {
    what: '其证书不在有效期内',
    en: 'Renew the certificate of etcd; if only this node refuses it, set the clock here.',
    zh: '更新 etcd 的证书；如果只有本节点拒绝它，请校正本机时钟。',
  },
  'plain-port': {
    what: '该端口不使用 TLS，而端点写的是 https',
    en: 'Write http into --etcd-endpoints, or turn TLS on in etcd.',
    zh: '在 --etcd-endpoints 中改用 http，或在 etcd 上启用 TLS。',
  },
  'tls-port': {
    what: '该端口使用 TLS，而端点写的是 http',
    en: 'Write https into --etcd-endpoints and give flannel all three TLS files.',
    zh: '在 --etcd-endpoints 中改用 https，并向 flannel 提供全部三个 TLS 文件。',
  },
  'client-certificate': {
    what: '它拒绝本机的客户端证书，或要求提供证书',
    en: 'Give flannel a client certificate that the CA of etcd signed and that has not run out.',
    zh: '向 flannel 提供由 etcd 的 CA 签发且未过期的客户端证书。',
  },
  'own-files': {
    what: '本机的 TLS 文件无法使用',
    en: 'Put the files of --etcd-cafile, --etcd-certfile and --etcd-keyfile right.',
    zh: '更正 --etcd-cafile、--etcd-certfile 和 --etcd-keyfile 所指的文件。',
  },
  handshake: {
    what: 'TLS 握手失败',
    en: 'Compare the TLS settings of etcd with the files that flannel is given.',
    zh: '比较 etcd 的 TLS 设置与提供给 flannel 的文件。',
  },
};

const RISK = {
  en: 'none by looking; flannel reads its files only when it starts',
  zh: '仅查看没有风险；flannel 只在启动时读取这些文件',
};
