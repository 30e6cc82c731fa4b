import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Namespace } from '../dataplane/namespace.ts';
import { ADMIN_TOKEN, AGENT_TOKEN, API_ADDRESS } from './kube-api.ts';
import { eventually } from './lab.ts';

export interface RealApiPlace {
  readonly hub: Namespace;
  readonly children: ChildProcess[];
}

const ETCD = `http://${API_ADDRESS}:2379`;
const URL_OF_API = `https://${API_ADDRESS}:6443`;

/** A kube-apiserver with an etcd of its own in the hub; only the role of flannel is bound to the agents' user. */
export async function startRealApi(program: string, { hub, children }: RealApiPlace): Promise<string> {
  const folder = join(hub.directory, 'kubernetes');
  await mkdir(folder, { recursive: true });
  const tokens = join(folder, 'tokens.csv');
  await writeFile(tokens, `${ADMIN_TOKEN},admin,1,"system:masters"\n${AGENT_TOKEN},flannel,2\n`);
  const key = join(folder, 'accounts.key');
  await hub.run(`openssl genrsa -out ${key} 2048`);
  const start = (argv: readonly string[]) => {
    children.push(spawn('ip', ['netns', 'exec', hub.name, ...argv], { stdio: 'ignore' }));
  };
  start(['etcd', '--data-dir', join(folder, 'etcd'), '--listen-client-urls', ETCD, '--advertise-client-urls', ETCD]);
  start([program, ...flagsOf({ folder, tokens, key })]);
  await eventually(() => curl(hub, { method: 'GET', path: '/readyz' }), 60_000);
  await grantFlannel(hub, folder);
  return URL_OF_API;
}

function flagsOf({ folder, tokens, key }: { readonly folder: string; readonly tokens: string; readonly key: string }) {
  return [
    `--etcd-servers=${ETCD}`,
    `--bind-address=${API_ADDRESS}`,
    `--advertise-address=${API_ADDRESS}`,
    '--secure-port=6443',
    `--cert-dir=${join(folder, 'certificates')}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
  ];
}

/** As kube-flannel.yml has it, for a user in place of its service account. */
async function grantFlannel(hub: Namespace, folder: string): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
  ];
  const head = { apiVersion: `${group}/v1`, metadata: { name: 'flannel' } };
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: 'flannel' };
  const subjects = [{ apiGroup: group, kind: 'User', name: 'flannel' }];
  const objects = [
    ['clusterroles', { ...head, kind: 'ClusterRole', rules }],
    ['clusterrolebindings', { ...head, kind: 'ClusterRoleBinding', roleRef, subjects }],
  ] as const;
  for (const [resource, object] of objects) {
    const file = join(folder, `${resource}.json`);
    await writeFile(file, JSON.stringify(object));
    await curl(hub, { method: 'POST', path: `/apis/${group}/v1/${resource}`, file });
  }
}

interface ApiCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON; left out: no body. */
  readonly file?: string;
}

function curl(hub: Namespace, { method, path, file }: ApiCall): Promise<string> {
  const body = file === undefined ? '' : ` -H Content-Type:application/json --data @${file}`;
  const request = `-X ${method}${body} --oauth2-bearer ${ADMIN_TOKEN} ${URL_OF_API}${path}`;
  return hub.run(`curl --silent --fail --insecure ${request}`);
}
