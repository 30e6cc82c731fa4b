import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface ServerCertificate {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  remove(): Promise<void>;
}

export interface CertificateParts {
  /** As openssl writes it: `IP:127.0.0.1`. */
  readonly names?: string;
  /** Negative: it ended so many days ago. */
  readonly days?: number;
}

/** A certificate to serve and to call with that is right but for what the test says, made by openssl. */
export async function makeCertificate({
  names = 'IP:127.0.0.1',
  days = 2,
}: CertificateParts): Promise<ServerCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-tls-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', [...args], { timeout: 10_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=ca',
    '-days',
    '2',
  );
  await openssl('req', ...newKey, '-keyout', at('node.key'), '-out', at('node.csr'), '-subj', '/CN=etcd-1');
  await writeFile(at('ext'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  const signed = ['-in', at('node.csr'), '-out', at('node.pem'), '-extfile', at('ext'), '-days', String(days)];
  await openssl('x509', '-req', ...signed, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial');
  const remove = () => rm(folder, { recursive: true, force: true });
  return { caFile: at('ca.pem'), certFile: at('node.pem'), keyFile: at('node.key'), remove };
}
