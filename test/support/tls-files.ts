import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TlsFiles {
  readonly caFile: string;
  /** For 127.0.0.1, to serve and to call with. */
  readonly certFile: string;
  readonly keyFile: string;
  /** A CA that signed nothing of this. */
  readonly otherCaFile: string;
  /** An RSA key pair to sign tokens with. */
  readonly tokenKey: string;
  readonly tokenPublicKey: string;
  remove(): Promise<void>;
}

/** Certificates for one test, made by openssl. */
export async function makeTlsFiles(): Promise<TlsFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-tls-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', [...args], { timeout: 10_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const ca of ['ca', 'other']) {
    const out = ['-keyout', at(`${ca}.key`), '-out', at(`${ca}.pem`)];
    await openssl('req', '-x509', ...newKey, ...out, '-subj', `/CN=${ca}`, '-days', '2');
  }
  await openssl('req', ...newKey, '-keyout', at('node.key'), '-out', at('node.csr'), '-subj', '/CN=root');
  await writeFile(at('ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  const signed = ['-in', at('node.csr'), '-out', at('node.pem'), '-extfile', at('ext'), '-days', '2'];
  await openssl('x509', '-req', ...signed, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial');
  await openssl('genrsa', '-out', at('token.key'), '2048');
  await openssl('rsa', '-in', at('token.key'), '-pubout', '-out', at('token.pub'));
  return {
    tokenKey: at('token.key'),
    tokenPublicKey: at('token.pub'),
    caFile: at('ca.pem'),
    certFile: at('node.pem'),
    keyFile: at('node.key'),
    otherCaFile: at('other.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
