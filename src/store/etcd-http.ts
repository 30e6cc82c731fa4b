import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP } from 'node:net';
import { UnavailableError } from '../errors.ts';
import type { EtcdAddress } from './etcd-address.ts';
import type { TlsMaterial } from './etcd-tls.ts';
import { escapeText } from './untrusted-text.ts';

export interface HttpQuestion {
  /** For messages. */
  readonly endpoint: string;
  readonly address: EtcdAddress;
  readonly material: TlsMaterial;
  readonly path: string;
  /** Sent as JSON by POST; left out: GET. */
  readonly body?: string;
  /** Epoch ms. */
  readonly deadline: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** At most {@link LONGEST_BYTES}. */
  readonly text: string;
}

const LONGEST_BYTES = 1 << 20;

/** etcd's JSON gateway, its health page and the v2 API. @throws {UnavailableError} `timeout` or `unreachable`. */
export function askHttp(question: HttpQuestion): Promise<HttpAnswer> {
  const { endpoint, address, material, path, body, deadline } = question;
  return new Promise((resolve, reject) => {
    const { cert, key } = material;
    const own = cert === undefined || key === undefined ? {} : { cert, key };
    const servername = isIP(address.host) === 0 ? address.host : '';
    const tls = address.isSecure ? { ca: [...material.ca], servername, ...own } : {};
    const asking = address.isSecure ? requestSecure : requestPlain;
    const signal = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
    const fail = (error: Error) => reject(failure(endpoint, signal.aborted ? 'timeout' : 'unreachable', error.message));
    const options = { host: address.host, port: address.port, path, agent: false, signal, ...tls };
    const sent = asking({ ...options, method: body === undefined ? 'GET' : 'POST' }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size > LONGEST_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

function failure(endpoint: string, reason: 'timeout' | 'unreachable', detail: string): UnavailableError {
  const words =
    reason === 'timeout' ? 'did not answer over HTTP in time' : `does not answer over HTTP: ${escapeText(detail)}`;
  return new UnavailableError(reason, `etcd ${endpoint} ${words}`);
}
