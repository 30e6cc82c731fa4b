import * as v from 'valibot';
import { UnavailableError, type UnknownReason } from '../errors.ts';
import { escapeText } from './untrusted-text.ts';

/** What one endpoint did instead of answering. */
export interface EndpointFailure {
  readonly endpoint: string;
  readonly reason: UnknownReason;
  /** Goes on after the endpoint's name: `refused the connection`. */
  readonly words: string;
  readonly hint?: string;
  /** An answer of etcd itself: every other member would say the same. */
  readonly isFinal: boolean;
  /** It was never sent, or etcd refused it: whatever it would have written is not written, and will not be. */
  readonly hadNoEffect: boolean;
  readonly cause: unknown;
}

/** As {@link StatusError}; see gRPC's status codes for the numbers. */
const STATUS = v.object({ code: v.number(), details: v.string() });

const UNKNOWN = 2;
const PERMISSION_DENIED = 7;
const DEADLINE_EXCEEDED = 4;
const INVALID_ARGUMENT = 3;
const UNAUTHENTICATED = 16;
const UNAVAILABLE = 14;
/** A stream that was reset has one of these; etcd's own answers have other codes. */
const INTERNAL = 13;
const CANCELLED = 1;

/** A failed call in plain words; what grpc says verbatim stays in the cause. */
export function describeFailure(endpoint: string, error: unknown, timeoutMs: number): EndpointFailure {
  const status = v.safeParse(STATUS, error);
  if (!status.success) throw error;
  const { code, details } = status.output;
  const said = (reason: UnknownReason, words: string, hint?: string): EndpointFailure => {
    const isFinal = reason === 'permission';
    const hadNoEffect = isRefusal(code, details);
    return { endpoint, reason, words, isFinal, hadNoEffect, cause: error, ...(hint === undefined ? {} : { hint }) };
  };
  const denied = wordsOfDenial(code, details);
  if (denied !== undefined) return said('permission', denied, 'Check --etcd-username and its password or role.');
  if (isOverdue(code, details)) return said('timeout', `did not answer within ${seconds(timeoutMs)}`);
  if (TOO_LARGE.test(details))
    return { ...said('malformed', 'takes no request of that size', RAISE_LIMIT), isFinal: true };
  const broken = wordsOfBrokenLink(details);
  if (broken !== undefined) return said('unreachable', broken.words, broken.hint);
  if (code === UNAVAILABLE) return said('unreachable', `is not available: ${escapeText(details)}`);
  if (code === INTERNAL || code === CANCELLED) return said('unreachable', `broke off: ${escapeText(details)}`);
  return { ...said('unreachable', `answered with an error: ${escapeText(details)}`), isFinal: true };
}

/** etcd knows the deadline of a call, and may be quicker to say so than we are; it gives Go's words the code of no error in particular. */
function isOverdue(code: number, details: string): boolean {
  return code === DEADLINE_EXCEEDED || (code === UNKNOWN && details.includes('context deadline exceeded'));
}

/**
 * "No connection established" is said of a call that could not be put on a connection. etcd answers with these codes
 * before it proposes a write (api/v3rpc/rpctypes); a timeout or a change of leader comes after that.
 */
function isRefusal(code: number, details: string): boolean {
  if (REFUSALS.has(code) || TOO_LARGE.test(details)) return true;
  return /^No connection established|^Name resolution failed|too many requests|space exceeded|no leader/.test(details);
}

/** Of etcd, and of gRPC in front of it, which counts half a megabyte more. */
const TOO_LARGE = /etcdserver: request is too large|^grpc: received message larger than max/;
const RAISE_LIMIT = "etcd's own --max-request-bytes is the limit.";

/** INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, UNAUTHENTICATED. */
const REFUSALS: ReadonlySet<number> = new Set([3, 5, 7, 9, 11, 12, 16]);

/** One error for the whole operation; every endpoint that was asked is named. */
export function unavailable(failures: readonly EndpointFailure[]): UnavailableError {
  const deciding = failures.find((failure) => failure.isFinal);
  const last = new Map(failures.map((failure) => [failure.endpoint, failure]));
  const told = deciding === undefined ? [...last.values()] : [deciding];
  const message = told.map(({ endpoint, words }) => `etcd ${endpoint} ${words}`).join('; ');
  const isSilent = told.some(({ reason }) => reason === 'timeout');
  const hint = told.find((failure) => failure.hint !== undefined)?.hint ?? (isSilent ? CHECK_MEMBERS : CHECK_ENDPOINTS);
  return new UnavailableError(reasonOf(told), message, { cause: told[0]?.cause, hint });
}

const CHECK_ENDPOINTS = 'Check --etcd-endpoints.';
/** A member that has lost its majority takes the connection and holds the read back. */
const CHECK_MEMBERS = "Check --etcd-endpoints, and whether a majority of etcd's members runs.";

/** The token etcd gave has run out or its server was restarted: a new one helps. */
export function isStaleToken(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && STALE.test(status.output.details);
}

/** The second is said when users or roles were changed since the token was made. */
const STALE = /invalid auth token|revision (in header|of auth store) is old/;

/** The connection had ended before the call was made, which only the call found out: the next one makes a new one. */
export function isDropped(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && status.output.code === UNAVAILABLE && DROPPED.test(status.output.details);
}

const DROPPED = /Connection dropped|ECONNRESET|EPIPE|GOAWAY/;

/** A member that has just got, or has not yet got, a leader. */
export function isElection(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && /leader changed|no leader/.test(status.output.details);
}

/** A page of a listing is too old: the listing has to begin again. */
export function isCompacted(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && status.output.details.includes('revision has been compacted');
}

/** A revision beyond the newest was asked for: etcd was restored from a backup. */
export function isBeyondNewest(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && status.output.details.includes('is a future revision');
}

/** An answer of more bytes than we take; we say so, not etcd. */
export function isTooLarge(error: unknown): boolean {
  const status = v.safeParse(STATUS, error);
  return status.success && /^Received message larger than max/.test(status.output.details);
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function reasonOf(failures: readonly EndpointFailure[]): UnknownReason {
  const reasons = new Set(failures.map((failure) => failure.reason));
  const [only] = reasons;
  return only !== undefined && reasons.size === 1 ? only : 'unreachable';
}

function wordsOfDenial(code: number, details: string): string | undefined {
  if (details.includes('invalid user ID or password')) return 'refuses the user name or the password';
  if (details.includes('user name is empty')) return 'wants a user name and a password';
  if (details.includes('authentication is not enabled')) return 'has no authentication, but a user name was given';
  if (code === PERMISSION_DENIED || details.includes('permission denied'))
    return 'does not permit this user to do that';
  if (code === UNAUTHENTICATED || (code === INVALID_ARGUMENT && details.includes('auth'))) {
    return `refuses the credentials: ${escapeText(details)}`;
  }
  return undefined;
}

interface BrokenLink {
  readonly words: string;
  readonly hint?: string;
}

const CHECK_TLS = 'Check --etcd-cafile, --etcd-certfile and --etcd-keyfile.';

/** Texts of Node's net, dns and tls modules and of OpenSSL, which are put into the details. */
const BROKEN_LINKS: readonly (readonly [RegExp, BrokenLink])[] = [
  [/ECONNREFUSED/, { words: 'refused the connection' }],
  [/EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/, { words: 'has no route from here' }],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, { words: 'has a name that does not resolve' }],
  [/missing port in address/, { words: 'has no port', hint: 'Write --etcd-endpoints as http://HOST:2379.' }],
  [/ETIMEDOUT/, { words: 'did not take the connection' }],
  [
    /self.signed certificate|unable to (verify|get)|issuer certificate/,
    { words: 'TLS: its certificate is not signed by the CA given', hint: CHECK_TLS },
  ],
  [
    /does not match certificate|ERR_TLS_CERT_ALTNAME/,
    { words: 'TLS: its certificate is for another name', hint: CHECK_TLS },
  ],
  [/certificate has expired|not yet valid/, { words: 'TLS: its certificate is out of date', hint: CHECK_TLS }],
  [
    /certificate required|bad certificate|handshake failure|alert/i,
    { words: 'TLS: it refuses our client certificate, or wants one', hint: CHECK_TLS },
  ],
  [
    /wrong version number|packet length too long/,
    { words: 'TLS: it does not speak TLS', hint: 'Check --etcd-endpoints: http or https.' },
  ],
  [/EPROTO|SSL routines/, { words: 'TLS: the handshake failed', hint: CHECK_TLS }],
  [/no leader|leader changed|request timed out/, { words: 'has no leader: the cluster has lost its quorum' }],
  [
    /ECONNRESET|socket hang up|EPIPE|Connection dropped|closed before/,
    { words: 'closed the connection', hint: 'Check --etcd-endpoints: http or https.' },
  ],
];

function wordsOfBrokenLink(details: string): BrokenLink | undefined {
  return BROKEN_LINKS.find(([pattern]) => pattern.test(details))?.[1];
}
