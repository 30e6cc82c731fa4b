import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../src/errors.ts';
import { asksForJson, failureOf, names } from '../src/failure.ts';

describe('a failure', () => {
  it('tells what happened and what to do', () => {
    const error = new UnavailableError('unreachable', 'etcd at http://10.0.0.1:2379 refused', {
      hint: 'Check --etcd-endpoints.',
    });
    expect(failureOf(error, { debug: false })).toMatchObject({
      exitCode: 69,
      text: 'Error: etcd at http://10.0.0.1:2379 refused\nCheck --etcd-endpoints.',
      document: { kind: 'Error', error: { code: 'unreachable', exitCode: 69, hint: 'Check --etcd-endpoints.' } },
    });
  });

  it('that nobody foresaw is a bug of ours, without its stack', () => {
    const failure = failureOf(new TypeError('x is not a function'), { debug: false });
    expect(failure).toMatchObject({ exitCode: 70, document: { error: { code: 'bug' } } });
    expect(failure.text).not.toContain('    at ');
  });

  it('shows its stack to who asks for it', () => {
    expect(failureOf(new TypeError('x'), { debug: true }).text).toContain('    at ');
  });

  it('shows nothing that a terminal would obey', () => {
    expect(failureOf(new UnavailableError('malformed', 'a\u001b[2Jb'), { debug: false }).text).toBe(
      'Error: a\\u001b[2Jb',
    );
  });
});

describe('a command line', () => {
  it.each([['--json'], ['-o', 'json'], ['-ojson'], ['-o=json'], ['--output', 'json'], ['--output=json']])(
    'asks for JSON by %s %s',
    (...words) => {
      expect(asksForJson(['doctor', ...words])).toBe(true);
    },
  );

  it.each([[['doctor']], [['doctor', '-o', 'text']], [['drill', 'exec', '1', '--', 'x', '--json']]])(
    'does not ask for JSON by %j',
    (argv) => {
      expect(asksForJson(argv)).toBe(false);
    },
  );

  it('leaves what stands behind two dashes to the other program', () => {
    expect(names(['drill', 'exec', '1', '--', 'ls', '--help'], ['--help'])).toBe(false);
  });
});
