import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DrillNode } from '../../src/drill/fault.ts';
import { document, first, flannelctl, onTerminal, report } from './doctor-lab.ts';
import { type Lab, openLab } from './drill-lab.ts';

const ROUTE = '10.244.2.0/24';
const REPAIR = `ip route add ${ROUTE} via 10.244.2.0 dev flannel.1 onlink`;
const PASSIVE = ['--probe', 'passive'];

let lab: Lab;
let node: DrillNode;

beforeAll(async () => {
  lab = await openLab({ nodes: 2 });
  node = first(lab);
});
afterAll(() => lab.remove());

const route = () => node.must(['ip', 'route', 'show', ROUTE]);
beforeEach(async () => {
  await node.must(['ip', 'route', 'del', ROUTE]);
});
afterEach(async () => {
  await node.must(['ip', 'route', 'replace', ROUTE, 'via', '10.244.2.0', 'dev', 'flannel.1', 'onlink']);
});

describe('a repair where nobody can be asked', () => {
  it('is refused with 64, after it was shown, and nothing is written', async () => {
    const { exitCode, stdout, stderr } = await flannelctl(node, 'doctor', '--fix', ...PASSIVE);
    expect({ exitCode, stdout, route: await route() }).toEqual({ exitCode: 64, stdout: '', route: '' });
    expect(stderr).toContain(`  route-missing: 1 peer has no route: ${ROUTE}\n    ${REPAIR}\n`);
    expect(stderr).toContain('Pass --yes, or --dry-run to see it only.');
  });

  it('is one document of kind Error with -o json', async () => {
    const { stdout } = await flannelctl(node, 'doctor', '--fix', '-o', 'json', ...PASSIVE);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Error', error: { code: 'usage', exitCode: 64 } });
  });

  it('is shown and not done with --dry-run', async () => {
    const ended = await flannelctl(node, 'doctor', '--fix', '--dry-run', '-o', 'json', ...PASSIVE);
    expect([ended.exitCode, document(ended).fixes, await route()]).toEqual([1, [], '']);
    expect(ended.stderr).toContain(REPAIR);
  });

  it('is done with --yes, and judged by looking again', async () => {
    const found = await report(node, '--fix', '--yes', ...PASSIVE);
    expect(found.verdict).toEqual({ status: 'healthy', exitCode: 0 });
    expect(found.fixes).toEqual([{ check: 'route-missing', status: 'applied', actions: [REPAIR] }]);
  });

  it('is not done for what was not asked for', async () => {
    await flannelctl(node, 'doctor', 'flannel-link-down', '--fix', '--yes', ...PASSIVE);
    expect(await route()).toBe('');
  });

  it('is not done for what is suppressed', async () => {
    const found = await report(node, '--fix', '--yes', '--suppress', 'route-missing', ...PASSIVE);
    expect([found.verdict.exitCode, await route()]).toEqual([0, '']);
    expect(found.checks.find(({ id }) => id === 'route-missing')).toMatchObject({ status: 'fail', suppressed: true });
  });
});

describe('a repair on a terminal', () => {
  const asked = (keys: string, ...words: readonly string[]) =>
    onTerminal(lab, ['doctor', '--fix', ...PASSIVE, ...words], { prompt: '[y/N]', keys });

  it.each([
    ['no', 'n\r', 1],
    ['Enter', '\r', 1],
    ['the end of the input', '\u0004', 1],
    ['something else', 'yess\r', 1],
    ['Ctrl-C', '\u0003', 130],
  ])('is not done by %s', async (_what, keys, code) => {
    const { exitCode, screen } = await asked(keys);
    expect([exitCode, await route()]).toEqual([code, '']);
    expect(screen).toContain(`  route-missing: 1 peer has no route: ${ROUTE}\n`);
    expect(screen).toMatch(/route-missing {3}ROOT CAUSE\n/);
  });

  it('is done by yes', async () => {
    const { exitCode, screen } = await asked('y\r');
    expect([exitCode, (await route()).trim()]).toEqual([0, `${ROUTE} via 10.244.2.0 dev flannel.1 onlink`]);
    expect(screen).toContain(`Repaired: route-missing\n    ${REPAIR}`);
  });

  it('asks in Chinese, and takes 是 for an answer', async () => {
    const { exitCode, screen, raw } = await asked('是\r', '--lang', 'zh');
    expect(exitCode).toBe(0);
    expect(screen).toContain('将要执行：\n');
    expect(raw).toContain('执行吗？ [y/N]');
  });

  it('waits for the answer longer than a look may take', async () => {
    const slow = new Promise<void>((resolve) => setTimeout(resolve, 2500));
    const typed = await onTerminal(lab, ['doctor', '--fix', '--timeout', '2s', ...PASSIVE], {
      prompt: '[y/N]',
      keys: slow.then(() => 'y\r'),
    });
    expect(typed.exitCode).toBe(0);
  });
});

describe('the report on a terminal', () => {
  it('has no line wider than the terminal but commands', async () => {
    const { screen } = await onTerminal(lab, ['doctor'], { prompt: 'never', keys: '' });
    const wide = screen.split('\n').filter((line) => line.length > 80);
    expect(wide.filter((line) => !/^ {4,6}(ip|bridge|ping|flannelctl) /.test(line))).toEqual([]);
    expect(screen).toContain(`    ${REPAIR}\n`);
  });

  it('has neither colour nor motion for a terminal that knows none', async () => {
    const { raw } = await onTerminal(lab, ['doctor', ...PASSIVE], { prompt: 'never', keys: '', term: 'dumb' });
    expect(raw).not.toContain('\u001b');
    expect(raw).toContain('[FAIL] route-missing root:');
  });

  it('has no colour with --no-color', async () => {
    const { raw } = await onTerminal(lab, ['doctor', '--no-color', ...PASSIVE], { prompt: 'never', keys: '' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colours are made of
    expect(raw).not.toMatch(/\u001b\[[0-9;]*m/);
    expect(raw).toContain('✖ route-missing');
  });
});
