import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/render/reporter.ts';
import { aBrokenReport, aCheckSection, aReport } from '../support/report.ts';

const PIPE = { isTerminal: false, hasColor: false, columns: 100 };
const TERMINAL = { isTerminal: true, hasColor: false, columns: 120 };
const text = (report = aReport(), surface = PIPE, language: 'en' | 'zh' = 'en') =>
  renderReport(report, 'text', { language, surface });

describe('the report off a terminal', () => {
  it('has one line per check and ends with the result', async () => {
    expect((await text()).split('\n')).toEqual([
      'worker-3 · flanneld (etcd) · vxlan VNI 1, udp/8472 on eth0 192.168.10.13 · subnet 10.244.7.0/24 · 12 peers',
      '[ok]   fdb-missing: it holds',
      'RESULT ok roots=0 consequences=0 unknown=0 passed=1 na=0 exit=0',
    ]);
  });

  it('marks the root, its evidence, what follows from it, and the repair', async () => {
    expect((await text(aBrokenReport())).split('\n').slice(1)).toEqual([
      '[FAIL] vxlan-port-blocked root: nft rule drops udp/8472',
      '         counter: +24 packets, expected +0   (nft -j list ruleset)',
      '[FAIL] peers-unreachable consequence: 0 of 12 peers answer <- vxlan-port-blocked',
      '[????] underlay-pmtu: no peer <- vxlan-port-blocked',
      'FIX vxlan-port-blocked: Accept udp/8472.',
      'FIX vxlan-port-blocked: nft delete rule inet filter input handle 41',
      'RESULT fail roots=1 consequences=1 unknown=1 passed=0 na=0 exit=1',
    ]);
  });

  it('lets no value paint the terminal or start a line of its own', async () => {
    const hostile = 'bad\u001b[2J\nRESULT ok roots=0 exit=0\u202e';
    const lines = (await text(aBrokenReport(hostile))).split('\n');
    expect(lines[1]).toBe('[FAIL] vxlan-port-blocked root: bad\\u001b[2J\\u000aRESULT ok roots=0 exit=0\\u202e');
  });

  it('tells a warning from a failure', async () => {
    const report = aReport({
      verdict: { status: 'problems', exitCode: 0 },
      checks: [
        aCheckSection({
          id: 'route-stale',
          status: 'fail',
          severity: 'warning',
          role: 'root',
          summary: 'one route is left',
        }),
      ],
    });
    expect(await text(report)).toMatch(/^\[warn\] route-stale root: one route is left\nRESULT warn /m);
  });
});

describe('the report on a terminal', () => {
  it('is quiet when healthy: a head, the groups, one sentence', async () => {
    expect((await text(aReport(), TERMINAL)).split('\n').slice(1)).toEqual([
      '',
      '  ✔ peers 1',
      '',
      'Everything that was looked at is in order.',
      '0 root causes, 0 consequences, 1 passed, 0 not applicable · 1.4 s',
    ]);
  });

  it('shows what follows from a root under it and not beside it', async () => {
    const shown = await text(aBrokenReport(), TERMINAL);
    expect(shown).toContain('✖ vxlan-port-blocked   ROOT CAUSE\n  nft rule drops udp/8472\n');
    expect(shown).toContain(
      '  Because of this:\n    ✖ peers-unreachable   0 of 12 peers answer\n    ? underlay-pmtu       no peer\n',
    );
  });

  it('speaks Chinese when asked to', async () => {
    expect(await text(aBrokenReport(), TERMINAL, 'zh')).toContain('✖ vxlan-port-blocked   根因');
  });

  it('says plainly that nothing of flannel is here', async () => {
    const report = aReport({ verdict: { status: 'not-applicable', exitCode: 3 } });
    expect(await text(report, TERMINAL)).toBe('worker-3 · Neither flannel nor traces of it are on this host.');
  });

  it('says what nobody could look at, once per reason', async () => {
    const blind = (id: string) =>
      aCheckSection({
        id,
        status: 'unknown',
        summary: 'only root may look',
        unknown: { reason: 'permission', detail: '' },
      });
    const report = aReport({ verdict: { status: 'undetermined', exitCode: 2 }, checks: [blind('a'), blind('b')] });
    expect(await text(report, TERMINAL)).toContain('  ? only root may look\n      a, b\n');
  });
});

describe('the short report', () => {
  it('is empty when healthy', async () => {
    expect(await renderReport(aReport(), 'short', { language: 'en', surface: PIPE })).toBe('');
  });

  it('has the root and its consequences only', async () => {
    const short = await renderReport(aBrokenReport(), 'short', { language: 'en', surface: PIPE });
    expect(short.split('\n')).toEqual([
      '[FAIL] vxlan-port-blocked: nft rule drops udp/8472',
      '  [FAIL] peers-unreachable: 0 of 12 peers answer',
      '  [????] underlay-pmtu: no peer',
    ]);
  });
});

describe('the JSON report', () => {
  it('is exactly one document', async () => {
    const json = await renderReport(aBrokenReport(), 'json', { language: 'en', surface: PIPE });
    expect(JSON.parse(json)).toEqual(aBrokenReport());
  });
});
