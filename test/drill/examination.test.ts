import { describe, expect, it } from 'vitest';
import { isHealthy, parseExamination } from '../../src/drill/examination.ts';

const report = (parts: { status?: string; checks?: readonly { id: string; status: string }[] } = {}) =>
  JSON.stringify({
    kind: 'DoctorReport',
    verdict: { status: parts.status ?? 'healthy' },
    rootCauses: [],
    checks: parts.checks ?? [{ id: 'fdb-missing', status: 'pass' }],
  });
const parse = (stdout: string, exitCode = 0) => parseExamination('node1', { exitCode, stdout, stderr: 'Error: no' });

describe('reading what doctor said in a node', () => {
  it('calls a node healthy that has nothing wrong', () => {
    expect(isHealthy(parse(report()))).toBe(true);
  });

  it('does not call a node healthy that only has a warning', () => {
    expect(isHealthy(parse(report({ checks: [{ id: 'clock-skew', status: 'fail' }] })))).toBe(false);
  });

  it('does not call a node healthy whose exit code says otherwise', () => {
    expect(isHealthy(parse(report(), 2))).toBe(false);
  });

  it.each(['', 'not JSON', '{"kind":"Error"}'])('refuses %j as a report', (stdout) => {
    expect(() => parse(stdout, 70)).toThrow(/no report in node1 \(exit 70\)/);
  });
});
