import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/lease/etcd-tls.ts';
import type { TlsProblem } from '../../../src/facts/etcd.ts';
import { etcdSelection } from '../../support/etcd-selection.ts';

const ENDPOINT = 'https://10.0.0.1:2379';
const files = { caFile: '/etc/etcd/ca.pem', certFile: '/etc/etcd/cert.pem', keyFile: '/etc/etcd/key.pem' };

function trouble(problem: TlsProblem, endpoint = ENDPOINT) {
  const certificate = {
    ...{ subject: 'etcd-1', issuer: 'ca', names: 'DNS:etcd-1' },
    ...{ validFrom: Date.parse('2025-01-01T00:00:00Z'), validTo: Date.parse('2026-01-01T00:00:00Z') },
  };
  const words = 'TLS: its certificate has expired';
  return { endpoint, outcome: { kind: 'tls', problem, words, certificate } } as const;
}

function judge(problem: TlsProblem, parts: { readonly isServed?: boolean; readonly endpoint?: string } = {}) {
  const { isServed = false, endpoint } = parts;
  return check.evaluate({ tls: { isServed, troubles: [trouble(problem, endpoint)] }, selection: etcdSelection(files) });
}

describe('etcd-tls', () => {
  it('holds without trouble', () => {
    expect(check.evaluate({ tls: { isServed: true, troubles: [] }, selection: etcdSelection(files) })).toEqual([]);
  });

  it('is no failure while another endpoint serves', () => {
    expect(judge('out-of-date', { isServed: true })).toEqual([]);
  });

  it('shows the certificate and the files that flannel is given', () => {
    expect(judge('out-of-date')).toMatchObject([
      {
        about: ['node'],
        evidence: [
          { what: `TLS to ${ENDPOINT}`, observed: 'TLS: its certificate has expired' },
          {
            what: `certificate of ${ENDPOINT}`,
            observed:
              'etcd-1 (DNS:etcd-1), signed by ca, valid from 2025-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z',
          },
          {
            observed:
              '--etcd-cafile=/etc/etcd/ca.pem --etcd-certfile=/etc/etcd/cert.pem --etcd-keyfile=/etc/etcd/key.pem',
          },
        ],
        remedy: {
          automatic: 'no',
          commands: [
            'openssl s_client -connect 10.0.0.1:2379 -showcerts </dev/null',
            'openssl x509 -in /etc/etcd/cert.pem -noout -subject -issuer -dates -ext subjectAltName',
          ],
        },
      },
    ]);
  });

  it('says that flannel ignores a CA without certificate and key', () => {
    const [finding] = judge('ca-ignored');
    if (finding === undefined) throw new Error('nothing was found');
    expect(check.say.en.remedy([finding.values])).toContain('--etcd-certfile and --etcd-keyfile, too');
    expect(check.say.zh.summary([finding.values])).toContain('忽略了 --etcd-cafile');
  });

  it('writes no endpoint into a command that is no address', () => {
    const [finding] = judge('handshake', { endpoint: 'https://$(reboot):2379' });
    expect(finding?.remedy?.commands.join()).not.toContain('reboot');
  });
});
