import { isIP } from 'node:net';
import { connect, createSecureContext, getCACertificates, type PeerCertificate, rootCertificates } from 'node:tls';
import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { EtcdAddress } from './etcd-address.ts';
import type { CertificateView, TlsProblem } from './health.ts';
import type { EtcdSelection } from './store.ts';
import { escapeText } from './untrusted-text.ts';

/** What flannel would use: the CA counts only together with certificate and key (registry.go:newTlsConfig). */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** `--etcd-cafile` was given and flannel does not look at it. */
  readonly ignoredCa: string | null;
}

export type TlsLook =
  | { readonly status: 'trusted'; readonly certificate: CertificateView | null }
  | TlsFailure
  | { readonly status: 'ended'; readonly code: string };

export interface TlsFailure {
  readonly status: 'problem';
  readonly problem: TlsProblem;
  readonly words: string;
  readonly certificate: CertificateView | null;
}

/** For an endpoint without TLS. */
export const NO_MATERIAL: TlsMaterial = { ca: [], ignoredCa: null };

/** The files of the selection. What keeps flannel from using them is a problem, too. */
export async function readMaterial(selection: EtcdSelection, host: Host): Promise<TlsMaterial | TlsFailure> {
  const { caFile, certFile, keyFile, endpoints } = selection;
  if (!endpoints.some((endpoint) => endpoint.startsWith('https:'))) return NO_MATERIAL;
  const read = async (path: string) => (path === '' ? '' : await host.readFile(path));
  try {
    const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
    const material =
      certFile === '' || keyFile === ''
        ? { ca: systemAuthorities(), ignoredCa: ca === '' ? null : ca }
        : { ca: ca === '' ? systemAuthorities() : [ca], cert, key, ignoredCa: null };
    createSecureContext({ ...material, ca: [...material.ca] });
    return material;
  } catch (error) {
    if (error instanceof AbsentError || error instanceof UnavailableError) return ownFiles(error.message);
    if (isCoded(error)) return ownFiles(`${error.code}: ${escapeText(error.message)}`);
    throw error;
  }
}

function ownFiles(detail: string): TlsFailure {
  return {
    status: 'problem',
    problem: 'own-files',
    words: `TLS: our own files cannot be used: ${detail}`,
    certificate: null,
  };
}

/** One handshake, as flannel would make it. `ended`: the connection itself failed, with the code that Node gives. */
export async function lookAtTls(address: EtcdAddress, material: TlsMaterial, deadline: number): Promise<TlsLook> {
  const look = await shakeHands(address, material, deadline);
  const isUntrusted = look.status === 'problem' && look.problem === 'unknown-authority';
  if (!isUntrusted || material.ignoredCa === null) return look;
  const withCa = await shakeHands(address, { ...material, ca: [material.ignoredCa] }, deadline);
  if (withCa.status !== 'trusted') return look;
  const words =
    'TLS: its certificate is signed by the CA given, which flannel ignores without --etcd-certfile and --etcd-keyfile';
  return { ...look, problem: 'ca-ignored', words };
}

/** Whether a TLS handshake gets an answer there, whatever certificate it shows. */
export async function speaksTls(address: EtcdAddress, deadline: number): Promise<boolean> {
  const look = await shakeHands(address, NO_MATERIAL, deadline);
  return look.status === 'trusted' || (look.status === 'problem' && look.certificate !== null);
}

function shakeHands({ host, port }: EtcdAddress, material: TlsMaterial, deadline: number): Promise<TlsLook> {
  const { ca, cert, key } = material;
  return new Promise((resolve) => {
    const own = cert === undefined || key === undefined ? {} : { cert, key };
    // Node refuses an address as a server name; without one it is still compared with the certificate.
    const servername = isIP(host) === 0 ? host : '';
    const socket = connect({
      host,
      port,
      servername,
      ca: [...ca],
      ...own,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    const settle = (look: TlsLook) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(look);
    };
    const timer = setTimeout(() => settle({ status: 'ended', code: 'ETIMEDOUT' }), Math.max(1, deadline - Date.now()));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(lookOfError(error)));
    socket.once('secureConnect', () => {
      const certificate = viewOf(socket.getPeerCertificate());
      const { authorized, authorizationError } = socket;
      settle(
        authorized ? { status: 'trusted', certificate } : untrusted(String(codeOf(authorizationError)), certificate),
      );
    });
  });
}

/** Codes of OpenSSL's verification and of Node's name check; see X509_verify_cert_error_string(3). */
function untrusted(code: string, certificate: CertificateView | null): TlsFailure {
  const problem = (problem: TlsProblem, words: string): TlsFailure => ({
    status: 'problem',
    problem,
    words,
    certificate,
  });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return problem('other-name', 'TLS: its certificate is for another name');
  if (code === 'CERT_HAS_EXPIRED') return problem('out-of-date', 'TLS: its certificate has expired');
  if (code === 'CERT_NOT_YET_VALID') return problem('out-of-date', 'TLS: its certificate is not valid yet');
  if (/SELF_SIGNED|UNABLE_TO|ISSUER/.test(code)) {
    return problem('unknown-authority', 'TLS: its certificate is signed by no authority that flannel trusts here');
  }
  return problem('handshake', `TLS: its certificate is refused: ${escapeText(code, 60)}`);
}

function lookOfError(error: NodeJS.ErrnoException): TlsLook {
  const code = error.code ?? '';
  const problem = (problem: TlsProblem, words: string): TlsFailure => ({
    ...{ status: 'problem', problem, words },
    certificate: null,
  });
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) {
    return problem('plain-port', PLAIN_PORT);
  }
  if (
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE)/.test(
      code,
    )
  ) {
    return problem('client-certificate', CLIENT_CERTIFICATE);
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return problem('handshake', `TLS: the handshake failed: ${escapeText(code, 60)}`);
  return { status: 'ended', code };
}

export const PLAIN_PORT = 'TLS: it does not speak TLS, but https is asked of it';
export const CLIENT_CERTIFICATE = 'TLS: it refuses our client certificate, or wants one';

function viewOf(certificate: PeerCertificate): CertificateView | null {
  if (certificate.subject === undefined) return null;
  const name = (part: PeerCertificate['subject']) => escapeText(String(part.CN ?? part.O ?? ''), 80);
  return {
    subject: name(certificate.subject),
    issuer: name(certificate.issuer),
    names: escapeText(certificate.subjectaltname ?? ''),
    validFrom: Date.parse(certificate.valid_from),
    validTo: Date.parse(certificate.valid_to),
  };
}

function codeOf(error: unknown): unknown {
  return isCoded(error) ? error.code : error;
}

function isCoded(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : rootCertificates;
}
