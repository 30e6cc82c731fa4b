import { ApiException } from '@kubernetes/client-node';
import * as v from 'valibot';
import { AbsentError, ConflictError, type FlannelctlError, UnavailableError } from '../errors.ts';

export interface FailedCall {
  /** The API server, for a person. */
  readonly server: string;
  /** In the infinitive: `list nodes`. */
  readonly what: string;
  readonly timeoutMs: number;
}

/** What went wrong, in our own classes; anything that is neither an answer nor a network error is a bug and thrown on. */
export function translateError(error: unknown, call: FailedCall): FlannelctlError {
  if (error instanceof ApiException) return ofStatus(error.code, error, call);
  const { server, timeoutMs } = call;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    const message = `the Kubernetes API at ${server} did not answer within ${Math.round(timeoutMs / 100) / 10} s`;
    return new UnavailableError('timeout', message, { cause: error });
  }
  const words = wordsOfNetworkError(error);
  if (words === undefined) throw error;
  return new UnavailableError('unreachable', `the Kubernetes API at ${server} ${words}`, {
    cause: error,
    hint: 'Check --kubeconfig-file and --kube-api-url.',
  });
}

function ofStatus(code: number, cause: unknown, { server, what }: FailedCall): FlannelctlError {
  if (code === 401) {
    const message = `the Kubernetes API at ${server} does not know who we are (401), so we cannot ${what}`;
    return new UnavailableError('permission', message, { cause, hint: 'Check the user of the kubeconfig.' });
  }
  if (code === 403) {
    const message = `the Kubernetes API at ${server} does not let us ${what} (403)`;
    return new UnavailableError('permission', message, { cause, hint: 'Grant it with a ClusterRole.' });
  }
  if (code === 409) {
    return new ConflictError(`the Kubernetes API at ${server} did not ${what}: it changed meanwhile (409)`, { cause });
  }
  if (code === 404)
    return new AbsentError(`the Kubernetes API at ${server} found nothing when asked to ${what} (404)`, { cause });
  return new UnavailableError('unreachable', `the Kubernetes API at ${server} answered ${code} to: ${what}`, { cause });
}

const WITH_CODE = v.object({ code: v.string() });
const FETCH_FAILED = v.object({
  cause: v.object({ code: v.optional(v.string(), ''), message: v.optional(v.string(), '') }),
});

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'refused the connection'],
  [/ENOTFOUND|EAI_AGAIN/, 'has a name that does not resolve'],
  [/EHOSTUNREACH|ENETUNREACH/, 'has no route from here'],
  [/ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT/, 'did not take the connection'],
  [/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/, 'has a certificate that is not signed by the CA given'],
  [/ERR_TLS_CERT_ALTNAME/, 'has a certificate for another name'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'has a certificate that is out of date'],
  [/WRONG_VERSION_NUMBER|EPROTO/, 'does not speak TLS'],
  [/ALERT|HANDSHAKE/, 'refuses our client certificate'],
  [/ECONNRESET|UND_ERR_SOCKET|EPIPE/, 'closed the connection'],
];

function wordsOfNetworkError(error: unknown): string | undefined {
  const wrapped = v.safeParse(FETCH_FAILED, error);
  const direct = v.safeParse(WITH_CODE, error);
  const code = wrapped.success
    ? wrapped.output.cause.code || wrapped.output.cause.message
    : direct.success
      ? direct.output.code
      : '';
  if (code === '') return undefined;
  return WORDS.find(([pattern]) => pattern.test(code))?.[1] ?? `cannot be reached: ${code}`;
}
