import type { CheckSection, DoctorReport } from '../../src/doctor/report.ts';

export function aCheckSection(parts: Partial<CheckSection> & { readonly id: string }): CheckSection {
  return {
    group: 'peers',
    title: 'it holds',
    status: 'pass',
    severity: 'error',
    role: 'none',
    causedBy: [],
    suppressed: false,
    durationMs: 1,
    summary: 'it holds',
    evidence: [],
    about: [],
    ...parts,
  };
}

export function aReport(parts: Partial<DoctorReport> = {}): DoctorReport {
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'DoctorReport',
    tool: { name: 'flannelctl', version: '0.1.0' },
    run: { startedAt: '2026-11-20T15:20:11Z', durationMs: 1412, complete: true, source: 'live', probe: 'active' },
    host: { name: 'worker-3', kernel: '6.8.0', os: 'debian 12', arch: 'x64' },
    flannel: {
      deployment: 'systemd',
      version: null,
      subnetManager: 'etcd',
      backend: 'vxlan',
      vni: 1,
      port: 8472,
      iface: 'eth0',
      publicIP: '192.168.10.13',
      network: '10.244.0.0/16',
      subnet: '10.244.7.0/24',
      peers: 12,
    },
    verdict: { status: 'healthy', exitCode: 0 },
    summary: { pass: 1, fail: 0, unknown: 0, notApplicable: 0, suppressed: 0, roots: 0, consequences: 0 },
    rootCauses: [],
    checks: [aCheckSection({ id: 'fdb-missing' })],
    fixes: [],
    errors: [],
    ...parts,
  };
}

/** One root with one consequence and one unknown under it. */
export function aBrokenReport(summary = 'nft rule drops udp/8472'): DoctorReport {
  return aReport({
    verdict: { status: 'problems', exitCode: 1 },
    summary: { pass: 0, fail: 2, unknown: 1, notApplicable: 0, suppressed: 0, roots: 1, consequences: 1 },
    rootCauses: [{ id: 'vxlan-port-blocked', consequences: ['peers-unreachable', 'underlay-pmtu'] }],
    checks: [
      aCheckSection({
        id: 'vxlan-port-blocked',
        group: 'firewall',
        status: 'fail',
        role: 'root',
        summary,
        evidence: [{ what: 'counter', observed: '+24 packets', expected: '+0', source: 'nft -j list ruleset' }],
        remedy: {
          text: 'Accept udp/8472.',
          commands: ['nft delete rule inet filter input handle 41'],
          automatic: 'ask',
          repairable: false,
          risk: 'none',
        },
      }),
      aCheckSection({
        id: 'peers-unreachable',
        group: 'path',
        status: 'fail',
        role: 'consequence',
        summary: '0 of 12 peers answer',
        causedBy: [{ id: 'vxlan-port-blocked', because: 'udp' }],
      }),
      aCheckSection({
        id: 'underlay-pmtu',
        group: 'path',
        status: 'unknown',
        summary: 'no peer',
        causedBy: [{ id: 'vxlan-port-blocked', because: 'udp' }],
        unknown: { reason: 'unreachable', detail: 'no peer' },
      }),
    ],
  });
}
