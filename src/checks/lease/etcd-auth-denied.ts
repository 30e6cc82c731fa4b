import { nameEn, nameZh } from '../../dataplane/naming.ts';
import { defineCheck, type NonEmpty } from '../../doctor/check.ts';
import { causesBefore } from '../../doctor/datastore-causes.ts';
import { etcdctl } from '../../doctor/etcdctl.ts';
import { type EtcdSelection, etcdSelectionFact } from '../../facts/etcd.ts';
import { type AccessDenial, etcdAccessFact } from '../../facts/etcd-health.ts';

interface Values {
  /** `''`: none is given. */
  readonly user: string;
  readonly denials: readonly AccessDenial[];
}

export default defineCheck({
  id: 'etcd-auth-denied',
  group: 'lease',
  severity: 'error',
  scope: 'cluster',
  repair: 'no',
  needs: { denials: etcdAccessFact, selection: etcdSelectionFact },
  causedBy: causesBefore('etcd-auth-denied'),
  say: {
    en: {
      title: 'etcd lets flannel read its configuration and write its lease',
      summary: ([{ denials, user }]: NonEmpty<Values>) =>
        `${nameEn(denials.map(({ endpoint, words, action }) => `etcd ${endpoint} ${words}, so flannel ${user === '' ? 'without a user' : `as ${user}`} cannot ${ACTIONS[action].en}`))}`,
      remedy: ([{ user }]) =>
        user === ''
          ? 'Give flannel --etcd-username and --etcd-password of a user that may read and write the whole prefix.'
          : `Grant a role of ${user} readwrite on the whole prefix, or correct its password.`,
    },
    zh: {
      title: 'etcd 允许 flannel 读取配置并写入租约',
      summary: ([{ denials, user }]) =>
        `${nameZh(denials.map(({ endpoint, action }) => `etcd ${endpoint} 不允许${ACTIONS[action].zh}`))}（用户 ${user || '未给出'}）`,
      remedy: ([{ user }]) =>
        user === ''
          ? '用 --etcd-username 和 --etcd-password 向 flannel 提供一个可读写整个前缀的用户。'
          : `为 ${user} 的角色授予整个前缀的 readwrite 权限，或更正其密码。`,
    },
  },
  logs: [/etcdserver: (permission denied|user name is empty|authentication failed|invalid auth token)/],
  proof: 'drill',
  evaluate: ({ denials, selection }) => {
    const [first, ...more] = denials.map(({ endpoint, action, words }) => ({
      what: `${ACTIONS[action].en} as ${selection.username || 'nobody'}`,
      observed: words,
      expected: 'permitted',
      source: etcdctl(selection, endpoint, `get ${keyOf(action, selection)}`),
    }));
    if (first === undefined) return [];
    return [
      {
        values: { user: selection.username, denials },
        about: ['node'],
        evidence: [first, ...more],
        remedy: { commands: commandsFor(denials, selection), actions: [], automatic: 'no', risk: RISK },
      },
    ];
  },
});

function keyOf(action: AccessDenial['action'], { prefix }: EtcdSelection): string {
  return action === 'read' ? `${prefix}/config` : `--prefix --keys-only ${prefix}/subnets`;
}

/** Run by an administrator of etcd; the name of the role is for them to choose. */
function commandsFor([denial]: readonly AccessDenial[], selection: EtcdSelection): readonly string[] {
  const { username, prefix } = selection;
  const isSafe = /^[\w.@-]+$/.test(username) && /^[\w./-]+$/.test(prefix);
  if (denial === undefined || !isSafe) return [];
  const asRoot = { ...selection, username: 'root' };
  return [
    etcdctl(asRoot, denial.endpoint, `user get ${username} --detail`),
    etcdctl(asRoot, denial.endpoint, 'role add flannel'),
    etcdctl(asRoot, denial.endpoint, `role grant-permission flannel readwrite --prefix=true ${prefix}/`),
    etcdctl(asRoot, denial.endpoint, `user grant-role ${username} flannel`),
  ];
}

const ACTIONS: Readonly<Record<AccessDenial['action'], { readonly en: string; readonly zh: string }>> = {
  read: { en: 'read the network configuration', zh: '读取网络配置' },
  'list-leases': { en: 'list the leases', zh: '列出租约' },
  'write-leases': { en: 'write a lease', zh: '写入租约' },
};

const RISK = {
  en: 'the role can read and change every lease below the prefix, as flannel must',
  zh: '该角色可以读取和修改该前缀下的全部租约，flannel 需要这一权限',
};
