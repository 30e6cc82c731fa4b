import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document, onMachine, TRACE } from './doctor-lab.ts';
import { PROGRAM } from './drill-lab.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flannelctl-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const WRONG: readonly (readonly [words: string[], said: RegExp])[] = [
  [['doctor', 'vxlan-port-blockd'], /did you mean vxlan-port-blocked\?/],
  [['doctor', 'firewal'], /did you mean firewall\?/],
  [['doctor', '\u001b[31mred\n'], /"\\u001b\[31mred\\n"/],
  [['doctor', ''], /no check or group ""/],
  [['doctor', 'link', '--skip', 'link'], /no check is left of link/],
  [['doctor', '--skip', 'nope'], /no check or group "nope"/],
  [['doctor', '--suppress', 'nope'], /no check or group "nope"/],
  [['doctor', '--fixx'], /Did you mean --fix\?/],
  [['doctor', '-o', 'yml'], /-o takes .*, not "yml"/],
  [['doctor', '--timeout', '5'], /--timeout takes a duration such as 500ms/],
  [['doctor', '--timeout', '0s'], /--timeout takes a duration/],
  [['doctor', '--peers', '0'], /--peers takes a number of 1 or more, or all/],
  [['doctor', '--fail-on', 'x'], /error, warning, never/],
  [['doctor', '--probe', 'x'], /active, passive/],
  [['doctor', '--report', 'x=y'], /--report takes FORMAT=FILE/],
  [['doctor', '--root', '/tmp'], /\/tmp is not the root of a host/],
  [['doctor', '--root', '/nowhere'], /\/nowhere is not the root of a host/],
  [['doctor', '--lang', 'fr'], /en, zh/],
  [['docter'], /Did you mean "flannelctl doctor"\?/],
  [['explain'], /the id of a check, or --log FILE/],
  [['explain', 'arp-missng'], /did you mean arp-missing\?/],
  [['explain', 'arp-missing', '--log', '-'], /not both/],
  [['checks', '-o', 'table'], /-o takes /],
  [['drill', 'brek'], /Did you mean "flannelctl drill break"\?/],
];

describe('a wrong command line', () => {
  it.each(WRONG)('%j is refused with 64 and what to write instead', (words, said) => {
    const { exitCode, stdout, stderr } = onMachine(words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(TRACE);
  });

  it.each(WRONG)('%j is a document of kind Error with -o json', (words) => {
    const { exitCode, stdout } = onMachine([
      ...words.filter((word) => word !== '-o' && word !== 'yml'),
      '--json',
      '--x',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'flannelctl.dev/v1', kind: 'Error', error: { exitCode } });
    expect(exitCode).toBe(64);
  });

  it('shows a stack only with --debug', () => {
    expect(onMachine(['doctor', 'nope', '--debug']).stderr).toMatch(TRACE);
  });
});

describe('a host without flannel', () => {
  const alone = (...words: readonly string[]) => {
    const argv = ['--net', '--pid', '--fork', '--mount-proc', PROGRAM, 'doctor', ...words];
    const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8', env: {}, timeout: 20_000 });
    return { exitCode: status ?? -1, stdout, stderr };
  };

  it('is not applicable: 3, and every check says why', () => {
    const ended = alone('-o', 'json');
    const { verdict, checks } = document(ended);
    expect([ended.exitCode, verdict]).toEqual([3, { status: 'not-applicable', exitCode: 3 }]);
    expect(new Set(checks.map(({ summary }) => summary))).toEqual(
      new Set(['neither flannel nor traces of it are on this host']),
    );
  });

  it('is not called healthy in text', () => {
    expect(alone().stdout.trimEnd().split('\n').at(-1)).toMatch(/^RESULT n\/a .* exit=3$/);
  });
});

describe('--root', () => {
  it('takes /', () => {
    expect([0, 1, 2, 3]).toContain(onMachine(['doctor', '--root', '/', '--probe', 'passive']).exitCode);
  });

  it('reads the files of a tree that looks like a host', () => {
    mkdirSync(join(folder, 'etc'), { recursive: true });
    mkdirSync(join(folder, 'run/flannel'), { recursive: true });
    mkdirSync(join(folder, 'proc'));
    writeFileSync(join(folder, 'etc/os-release'), 'ID=flatcar\nVERSION_ID=4152\n');
    writeFileSync(join(folder, 'run/flannel/subnet.env'), 'FLANNEL_MTU=junk\n');
    const { exitCode, stdout } = onMachine(['doctor', '--root', folder, '-o', 'json']);
    expect(document({ stdout }).host.os).toBe('flatcar 4152');
    expect(exitCode).toBe(2);
  });
});

describe('every command', () => {
  const ids = onMachine(['checks', '-o', 'name']).stdout.trim().split('\n');

  it.each(['doctor', 'checks', 'explain', 'version', 'up', 'drill up', 'drill run'])(
    'shows examples in the help of %s',
    (name) => {
      const { exitCode, stdout } = onMachine(['help', ...name.split(' ')]);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`flannelctl ${name}`)]);
      expect(stdout).toContain('EXAMPLES');
    },
  );

  it.each(ids)('explains %s in both languages', (id) => {
    const [en, zh] = ['en', 'zh'].map((lang) => onMachine(['explain', id, '--lang', lang]).stdout);
    expect(en).toContain(`# ${id}\n`);
    expect(zh).toMatch(/## 含义[\s\S]*## 处理办法/);
  });

  it('lists the checks as documents have it', () => {
    const { stdout } = onMachine(['checks', '-o', 'json']);
    const list = JSON.parse(stdout);
    expect({ kind: list.kind, ids: list.checks.map(({ id }: { id: string }) => id) }).toEqual({
      kind: 'CheckList',
      ids,
    });
    expect(Object.keys(list.checks[0]).sort()).toEqual(
      ['group', 'id', 'needs', 'proof', 'repair', 'severity', 'title'].sort(),
    );
  });

  it.each([[['version']], [['checks']], [['explain', 'arp-missing']], [['help']], [['doctor', '--help']]])(
    '%j says that a full disk took nothing',
    (words) => {
      const script = '"$0" "$@" >/dev/full';
      const { status, stderr } = spawnSync('sh', ['-c', script, PROGRAM, ...words], { encoding: 'utf8', env: {} });
      expect([status, stderr]).toEqual([73, expect.stringMatching(/^Error: the output cannot be written: ENOSPC/)]);
    },
  );
});

describe('standard input', () => {
  it('is no argument', () => {
    expect(onMachine(['explain'], 'arp-missing\n').stderr).toContain('explain takes the id of a check, or --log FILE');
  });
});

describe('lines of a log', () => {
  const LOG = [
    'I1120 10:01:04.123456       1 vxlan.go:141] VXLAN config: VNI=1 Port=0 GBP=false Learning=false',
    'E1120 10:01:05.123456       1 vxlan_network.go:158] AddFDB failed: network is down',
    'E1120 10:01:06.123456       1 vxlan_network.go:164] AddARP failed: no buffer space available',
    'failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory \u001b[31m',
  ].join('\n');

  it('are matched to failure modes, with what these are and where to read on', () => {
    const { exitCode, stdout } = onMachine(['explain', '--log', '-'], LOG);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^fdb-missing {3}1 line\n {2}\S.*\n {2}line 2: E1120 .*\n {2}More: flannelctl explain fdb-missing$/m,
    );
    expect(stdout).toContain('no such file or directory \\u001b[31m');
  });

  it('are told of in Chinese', () => {
    expect(onMachine(['explain', '--log', '-', '--lang', 'zh'], LOG).stdout).toMatch(/^fdb-missing {3}1 行$/m);
  });

  it('may be somebody else’s file', () => {
    const argv = ['-c', 'exec setpriv --reuid=54321 --regid=54321 --clear-groups "$0" explain --log - <"$1"'];
    const path = join(folder, 'flanneld.log');
    writeFileSync(path, LOG, { mode: 0o600 });
    const { status } = spawnSync('sh', [...argv, PROGRAM, path], { env: { PATH: '/usr/bin:/bin' } });
    expect(status).toBe(0);
  });
});
