import { connect } from 'node:net';
import { type EtcdAddress, parseEndpoint } from './etcd-address.ts';
import { type ConnectOptions, type EtcdConnection, openConnections, withoutUserInfo } from './etcd-connection.ts';
import { describeFailure, isDropped, seconds } from './etcd-errors.ts';
import { askHttp } from './etcd-http.ts';
import {
  CLIENT_CERTIFICATE,
  lookAtTls,
  NO_MATERIAL,
  PLAIN_PORT,
  speaksTls,
  type TlsFailure,
  type TlsMaterial,
} from './etcd-tls.ts';
import type { EndpointLook, EndpointOutcome } from './health.ts';

/** An endpoint with what is needed to speak with it. */
export interface LookedAt extends EndpointLook {
  readonly address: EtcdAddress | undefined;
  /** `undefined`: none could be opened. Closed by whoever asked for the look. */
  readonly connection: EtcdConnection | undefined;
}

export interface LookOptions extends ConnectOptions {
  readonly endpoint: string;
  readonly material: TlsMaterial | TlsFailure;
  readonly probeKey: Buffer;
}

/** Name, port, TLS, read: the first that fails says what is wrong. */
export async function lookAtEndpoint(options: LookOptions): Promise<LookedAt> {
  const { material, timeoutMs } = options;
  const endpoint = withoutUserInfo(options.endpoint);
  const address = parseEndpoint(options.endpoint);
  const started = Date.now();
  // What a read leaves open is found out afterwards, within the same limit.
  const deadline = started + timeoutMs * 0.6;
  const seen = (outcome: EndpointOutcome, connection?: EtcdConnection): LookedAt => ({
    ...{ endpoint, address, connection, outcome },
  });
  if (address === undefined) return seen({ kind: 'unresolved', words: 'is no URL with host and port' });
  const dialled = await dial(address, deadline, timeoutMs);
  if (dialled !== undefined) return seen(dialled);
  if (address.isSecure) {
    const tls = 'status' in material ? material : await lookAtTls(address, material, deadline);
    if (tls.status === 'problem') return seen({ kind: 'tls', ...withoutStatus(tls) });
    if (tls.status === 'ended') return seen(await explainEnd({ ...options, endpoint, address, deadline }, tls.code));
  }
  const [connection] = await openConnections({ ...options, selection: selectionOf(options) });
  if (connection === undefined) return seen({ kind: 'unresolved', words: 'is not given' });
  const parts = { ...options, endpoint, address, connection, deadline, latest: started + timeoutMs };
  return seen(await readOnce(parts), connection);
}

function selectionOf({ selection, endpoint, material }: LookOptions): ConnectOptions['selection'] {
  // Files that cannot be used are nothing to an endpoint without TLS.
  const none = 'status' in material ? { caFile: '', certFile: '', keyFile: '' } : {};
  return { ...selection, ...none, endpoints: [endpoint] };
}

function withoutStatus({ problem, words, certificate }: TlsFailure): Omit<TlsFailure, 'status'> {
  return { problem, words, certificate };
}

/** `undefined`: the port takes connections. */
function dial({ host, port }: EtcdAddress, deadline: number, timeoutMs: number): Promise<EndpointOutcome | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (outcome: EndpointOutcome | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle(ofCode('ETIMEDOUT', timeoutMs)), Math.max(1, deadline - Date.now()));
    socket.once('connect', () => settle(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(ofCode(codeOf(error), timeoutMs)));
  });
}

/** Of a name with several addresses Node tells all errors in one without a code. */
function codeOf(error: NodeJS.ErrnoException): string {
  if (error.code !== undefined) return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error && 'code' in first ? String(first.code) : error.message;
}

function ofCode(code: string, timeoutMs: number): EndpointOutcome {
  if (code === 'ECONNREFUSED') return { kind: 'refused', words: 'refused the connection' };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { kind: 'unresolved', words: 'has a name that does not resolve' };
  if (code === 'ETIMEDOUT')
    return { kind: 'silent', words: `did not take the connection within ${seconds(timeoutMs * 0.6)}` };
  if (/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|EPERM)$/.test(code)) {
    return { kind: 'no-route', words: `has no route from here (${code})` };
  }
  return { kind: 'not-etcd', words: `broke the connection (${code})` };
}

/** etcd answers a TLS greeting on a plain port by hanging up. */
async function explainEnd(
  {
    endpoint,
    address,
    deadline,
    timeoutMs,
  }: LookOptions & { readonly address: EtcdAddress; readonly deadline: number },
  code: string,
): Promise<EndpointOutcome> {
  if (code === 'ETIMEDOUT') return ofCode(code, timeoutMs);
  const plain = { ...address, isSecure: false };
  const [answer] = await Promise.allSettled([
    askHttp({ endpoint, address: plain, material: NO_MATERIAL, path: '/health', deadline }),
  ]);
  if (answer.status === 'rejected' || answer.value.status === 400) return ofCode(code, timeoutMs);
  return { kind: 'tls', problem: 'plain-port', words: PLAIN_PORT, certificate: null };
}

interface Reading extends LookOptions {
  readonly address: EtcdAddress;
  readonly connection: EtcdConnection;
  /** Epoch ms; of the linearizable read, and of all that is asked afterwards. */
  readonly deadline: number;
  readonly latest: number;
}

async function readOnce(reading: Reading): Promise<EndpointOutcome> {
  const { endpoint, timeoutMs } = reading;
  try {
    await readTwice(reading);
    return { kind: 'answers' };
  } catch (error) {
    const { reason, words } = describeFailure(endpoint, error, timeoutMs * 0.6);
    if (reason === 'permission') return { kind: 'denied', words };
    if (words.startsWith('TLS:')) {
      return { kind: 'tls', problem: 'client-certificate', words: CLIENT_CERTIFICATE, certificate: null };
    }
    return isAboutLeader(reason, words) ? explainSilence(reading, words) : explainBreak(reading, words);
  }
}

function isAboutLeader(reason: string, words: string): boolean {
  return reason === 'timeout' || words.includes('has no leader');
}

async function readTwice({ connection: { kv }, probeKey: key, deadline }: Reading): Promise<void> {
  const probe = { key, limit: 1, keys_only: true };
  try {
    await kv.range(probe, { deadline });
  } catch (error) {
    if (!isDropped(error)) throw error;
    await kv.range(probe, { deadline });
  }
}

/** etcd holds a linearizable read back until it has heard from a majority; what it has itself it tells at once. */
async function explainSilence(reading: Reading, words: string): Promise<EndpointOutcome> {
  const { connection, probeKey: key, latest, timeoutMs } = reading;
  try {
    await connection.kv.range({ key, limit: 1, keys_only: true, serializable: true }, { deadline: latest });
  } catch (error) {
    return { kind: 'silent', words: describeFailure(reading.endpoint, error, timeoutMs).words };
  }
  const waited = seconds(timeoutMs * 0.6);
  const leader = await leaderOf(reading);
  if (leader === '0') return { kind: 'no-quorum', words: words.includes('has no leader') ? words : NO_QUORUM };
  if (leader === undefined) {
    return {
      kind: 'no-quorum',
      words: `answers from its own copy alone: no majority confirmed a read within ${waited}`,
    };
  }
  const late = `did not answer a read within ${waited}, though it has a leader`;
  return { kind: 'late', words: late, waitedMs: Math.round(timeoutMs * 0.6) };
}

const NO_QUORUM = 'has no leader: the cluster has lost its quorum';

/** Member id, `0` for none. The member answers by itself; `undefined`: with authentication it answers only root. */
async function leaderOf({ connection, endpoint, latest, timeoutMs }: Reading): Promise<string | undefined> {
  try {
    return (await connection.maintenance.status({ deadline: latest })).leader;
  } catch (error) {
    // Bugs go on from here.
    describeFailure(endpoint, error, timeoutMs);
    return undefined;
  }
}

async function explainBreak(reading: Reading, words: string): Promise<EndpointOutcome> {
  const { address, latest } = reading;
  if (!address.isSecure && (await speaksTls(address, latest))) {
    const text = 'TLS: it speaks TLS, but http is asked of it';
    return { kind: 'tls', problem: 'tls-port', words: text, certificate: null };
  }
  return { kind: 'not-etcd', words };
}
