import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import * as v from 'valibot';
import { AbsentError, UnavailableError, UsageError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { KubeSelection } from '../store/store.ts';

/**
 * The API server and how to prove who we are: the file given, else KUBECONFIG, else the pod's service account, else
 * ~/.kube/config, else the URL alone. A file given is one of the host's, as flanneld sees it; the others are ours.
 * @throws {UnavailableError} when nothing names a server, or a file does not parse; {UsageError} for an unknown context.
 */
export async function loadKubeConfig(selection: KubeSelection, host: Host): Promise<KubeConfig> {
  const config = await loadFrom(selection, host);
  if (selection.context !== '') {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(selection.context)) {
      throw new UsageError(`the kubeconfig has no context ${selection.context}`, {
        hint: `It has: ${known.join(', ')}.`,
      });
    }
    config.setCurrentContext(selection.context);
  }
  return withServer(config, selection.apiUrl);
}

async function loadFrom({ kubeconfigFile, apiUrl, serviceAccountDir }: KubeSelection, host: Host): Promise<KubeConfig> {
  if (kubeconfigFile !== '') return loadFile(kubeconfigFile, (path) => host.readFile(path));
  if (serviceAccountDir !== undefined && apiUrl !== '') return ofServiceAccount(host, apiUrl, serviceAccountDir);
  const named = (process.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (named.length > 0) return loadFiles(named);
  if ((process.env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return inCluster();
  const home = process.env['HOME'] ?? '';
  const own = home === '' ? undefined : await loadIfThere(`${home}/.kube/config`);
  if (own !== undefined) return own;
  if (apiUrl !== '') return ofOptions({ clusters: [], users: [] });
  throw new UnavailableError('unreachable', 'nothing says where the Kubernetes API is', {
    hint: 'Name it with --kubeconfig-file or --kube-api-url.',
  });
}

function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
}

/** The way in of flanneld's own pod, as client-go takes it (rest.InClusterConfig). */
async function ofServiceAccount(host: Host, server: string, folder: string): Promise<KubeConfig> {
  const [token, ca] = await Promise.all([host.readFile(`${folder}/token`), host.readFile(`${folder}/ca.crt`)]);
  const name = 'service-account';
  return ofOptions({
    clusters: [{ name, server, caData: base64(ca), skipTLSVerify: false }],
    users: [{ name, token: token.trim() }],
    contexts: [{ name, cluster: name, user: name }],
    currentContext: name,
  });
}

/** As kubectl: of several files the first that defines a name wins. */
async function loadFiles(paths: readonly string[]): Promise<KubeConfig> {
  const merged = new KubeConfig();
  for (const path of paths) {
    const next = await loadIfThere(path);
    if (next === undefined) continue;
    const fresh = (name: string, there: readonly { readonly name: string }[]) =>
      !there.some((item) => item.name === name);
    merged.clusters = [
      ...(merged.clusters ?? []),
      ...next.clusters.filter(({ name }) => fresh(name, merged.clusters ?? [])),
    ];
    merged.users = [...(merged.users ?? []), ...next.users.filter(({ name }) => fresh(name, merged.users ?? []))];
    merged.contexts = [
      ...(merged.contexts ?? []),
      ...next.contexts.filter(({ name }) => fresh(name, merged.contexts ?? [])),
    ];
    merged.currentContext ||= next.currentContext;
  }
  return merged;
}

async function loadIfThere(path: string): Promise<KubeConfig | undefined> {
  try {
    return await loadFile(path, readOwnFile);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

async function readOwnFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = v.safeParse(v.object({ code: v.string() }), error);
    if (!code.success) throw error;
    if (code.output.code === 'ENOENT') throw new AbsentError(`${path} is not there`, { cause: error });
    const reason = code.output.code === 'EACCES' ? 'permission' : 'unsupported';
    throw new UnavailableError(reason, `${path} cannot be read: ${code.output.code}`, { cause: error });
  }
}

type Read = (path: string) => Promise<string>;

async function loadFile(path: string, read: Read): Promise<KubeConfig> {
  const text = await read(path);
  const parsed = new KubeConfig();
  const tokenFiles = parseFile(path, text, parsed);
  const folder = dirname(path);
  const embed = async (file: string | undefined) => (file === undefined ? undefined : read(resolve(folder, file)));
  const clusters = await Promise.all(parsed.clusters.map((cluster) => embedCluster(cluster, embed)));
  const users = await Promise.all(parsed.users.map((user) => embedUser(user, tokenFiles.get(user.name), embed)));
  return ofOptions({ clusters, users, contexts: parsed.contexts, currentContext: parsed.currentContext });
}

const TOKEN_FILES = v.object({
  users: v.optional(
    v.array(v.object({ name: v.string(), user: v.nullish(v.object({ tokenFile: v.optional(v.string()) })) })),
    [],
  ),
});

/** Fills `config`. client-node leaves out `tokenFile`, with which a request would go out without a name. */
function parseFile(path: string, text: string, config: KubeConfig): ReadonlyMap<string, string> {
  try {
    config.loadFromString(text);
    const { users } = v.parse(TOKEN_FILES, load(text));
    return new Map(users.flatMap(({ name, user }) => (user?.tokenFile === undefined ? [] : [[name, user.tokenFile]])));
  } catch (error) {
    throw new UnavailableError('malformed', `${path} is no kubeconfig`, { cause: error });
  }
}

type Embed = (file: string | undefined) => Promise<string | undefined>;

async function embedCluster({ caFile, ...cluster }: Cluster, embed: Embed): Promise<Cluster> {
  const ca = await embed(cluster.caData === undefined ? caFile : undefined);
  return ca === undefined ? cluster : { ...cluster, caData: base64(ca) };
}

async function embedUser(
  { certFile, keyFile, ...user }: User,
  tokenFile: string | undefined,
  embed: Embed,
): Promise<User> {
  const [cert, key, token] = await Promise.all([
    embed(user.certData === undefined ? certFile : undefined),
    embed(user.keyData === undefined ? keyFile : undefined),
    embed(tokenFile),
  ]);
  return {
    ...user,
    ...(cert === undefined ? {} : { certData: base64(cert) }),
    ...(key === undefined ? {} : { keyData: base64(key) }),
    ...(token === undefined ? {} : { token: token.trim() }),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** `--kube-api-url` replaces the server of the kubeconfig, as client-go does. Plain http has no certificate to verify. */
function withServer(config: KubeConfig, apiUrl: string): KubeConfig {
  const current = config.getCurrentCluster() ?? { name: 'flannelctl', server: apiUrl, skipTLSVerify: false };
  const server = apiUrl === '' ? current.server : apiUrl;
  if (server === '') throw new UnavailableError('unreachable', 'the kubeconfig names no server in its current context');
  const skipTLSVerify = current.skipTLSVerify || server.startsWith('http:');
  const user = config.getCurrentUser() ?? { name: 'flannelctl' };
  const cluster: Cluster = { ...current, server, skipTLSVerify };
  return ofOptions({
    clusters: [cluster],
    users: [user],
    contexts: [{ name: 'flannelctl', cluster: cluster.name, user: user.name }],
    currentContext: 'flannelctl',
  });
}

function ofOptions(
  options: Partial<Pick<KubeConfig, 'clusters' | 'users' | 'contexts' | 'currentContext'>>,
): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({ contexts: [], currentContext: '', ...options });
  return config;
}
