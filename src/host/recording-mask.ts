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
  return maskText(value);
}

function maskEnvironment(text: string): string {
  const kept = text.split('\0').filter((entry) => KEPT_VARIABLE.test(entry));
  return kept.map((entry) => `${maskVariable(entry)}\0`).join('');
}

function maskVariable(entry: string): string {
  const name = entry.split('=', 1)[0] ?? '';
  return isSecretName(name) ? `${name}=${MASK}` : maskUrls(entry);
}

function maskCommandLine(text: string): string {
  const argv = text.split('\0');
  return maskArguments(argv).join('\0');
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
