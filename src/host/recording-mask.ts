import { isSecretName, MASK, maskArguments, maskText, maskUrls } from './secrets.ts';

/** Variables of a process that discovery reads; of all others not even the name is kept. */
const KEPT_VARIABLE = /^(FLANNELD_|KUBERNETES_SERVICE_|NODE_NAME=|POD_NAME=|POD_NAMESPACE=|KUBECONFIG=)/;

/** What a Host answered, as it may be written down and sent to somebody else. */
export function maskHostCall(method: string, args: readonly unknown[], value: unknown): unknown {
  if (method === 'exec' && isExecResult(value)) {
    return { ...value, stdout: maskText(value.stdout), stderr: maskText(value.stderr) };
  }
  if (method !== 'readFile' || typeof value !== 'string') return value;
  const path = String(args[0]);
  if (/^\/proc\/\d+\/environ$/.test(path)) return maskEnvironment(value);
  if (/^\/proc\/\d+\/cmdline$/.test(path)) return maskCommandLine(value);
  return isSecretFile(path) ? MASK : maskText(value);
}

/** Passwords handed over by discovery or by a file of the user's, wherever they were printed. */
export function withoutSecrets<T>(value: T, secrets: readonly string[]): T;
export function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  const known = secrets.filter((secret) => secret.length >= MIN_SECRET);
  if (typeof value === 'string') return known.reduce((text, secret) => text.replaceAll(secret, MASK), value);
  if (Array.isArray(value)) return value.map((item: unknown) => withoutSecrets(item, known));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    withoutSecrets(key, known),
    withoutSecrets<unknown>(item, known),
  ]);
  return Object.fromEntries(entries);
}

/** A shorter one would be found in every second word. */
const MIN_SECRET = 3;

/** `…/serviceaccount/token`, `/etc/flannel/etcd-password`. */
function isSecretFile(path: string): boolean {
  return isSecretName(path.slice(path.lastIndexOf('/') + 1));
}

function maskEnvironment(text: string): string {
  const kept = text.split('\0').filter((entry) => KEPT_VARIABLE.test(entry));
  return kept.map((entry) => `${maskVariable(entry)}\0`).join('');
}

function maskVariable(entry: string): string {
  const name = entry.split('=', 1)[0] ?? '';
  return isSecretName(name) ? `${name}=${MASK}` : maskUrls(entry);
}

/** Of programs that have nothing to do with flannel the arguments are nobody's business. */
function maskCommandLine(text: string): string {
  const argv = text.split('\0');
  const isOurs = /flannel|k3s|rke2|kubelet|containerd|dockerd|crio/.test(text);
  return isOurs ? maskArguments(argv).join('\0') : `${argv[0] ?? ''}\0`;
}

function isExecResult(value: unknown): value is { readonly stdout: string; readonly stderr: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stdout' in value &&
    typeof value.stdout === 'string' &&
    'stderr' in value &&
    typeof value.stderr === 'string'
  );
}
