// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how systemd writes a variable
import { describe, expect, it } from 'vitest';
import { commandWords, parseEnvironmentFile, parseUnit } from '../../src/facts/unit-file.ts';

describe('a unit file', () => {
  it('joins lines that end in a backslash, over comments', () => {
    const unit = parseUnit([
      '[Service]\nExecStart=/usr/bin/flanneld \\\n# why\n  --ip-masq \\\n  --iface=eth0\nRestart=always\n',
    ]);
    expect(commandWords(unit.commands[0] ?? '', new Map())).toEqual(['/usr/bin/flanneld', '--ip-masq', '--iface=eth0']);
  });

  it('is read only in its service section', () => {
    expect(
      parseUnit(['[Unit]\nExecStart=/bin/no\n[Service]\nExecStart=-/bin/yes\n[Install]\nExecStart=/bin/no\n']).commands,
    ).toEqual(['/bin/yes']);
  });

  it('takes back a command by an empty line, as a drop-in does', () => {
    expect(parseUnit(['[Service]\nExecStart=/bin/a\n', '[Service]\nExecStart=\nExecStart=/bin/b\n']).commands).toEqual([
      '/bin/b',
    ]);
  });

  it('reads several quoted assignments of one Environment= line', () => {
    const unit = parseUnit([`[Service]\nEnvironment="A=one two" B=2 'C=x=y'\nEnvironment=B=3\n`]);
    expect([...unit.environment]).toEqual([
      ['A', 'one two'],
      ['B', '3'],
      ['C', 'x=y'],
    ]);
  });

  it('tells an environment file that may be missing from one that must be there', () => {
    expect(parseUnit(['[Service]\nEnvironmentFile=-/etc/a\nEnvironmentFile=/etc/b\n']).environmentFiles).toEqual([
      { path: '/etc/a', isOptional: true },
      { path: '/etc/b', isOptional: false },
    ]);
  });
});

describe('the words of a command', () => {
  const variables = new Map([
    ['OPTS', '--ip-masq --iface=eth0'],
    ['IP', '10.0.0.1'],
  ]);

  it.each([
    ['flanneld $OPTS', ['flanneld', '--ip-masq', '--iface=eth0']],
    ['flanneld ${OPTS}', ['flanneld', '--ip-masq --iface=eth0']],
    ['flanneld --public-ip=${IP}', ['flanneld', '--public-ip=10.0.0.1']],
    ['flanneld $NONE -v=1', ['flanneld', '-v=1']],
    ['flanneld --x=${NONE}', ['flanneld', '--x=']],
    ['flanneld "--a=b c" \'d e\'', ['flanneld', '--a=b c', 'd e']],
    ['flanneld --price=$$5 100%%', ['flanneld', '--price=$5', '100%']],
  ])('are those of systemd: %s', (command, words) => {
    expect(commandWords(command, variables)).toEqual(words);
  });
});

describe('an environment file', () => {
  it('may quote, comment and continue', () => {
    const text = '# c\n; c\nA="one two"\nB=plain # not a comment\nC=\'x\'\nD=a\\\nb\n\nnot an assignment\n';
    expect([...parseEnvironmentFile(text)]).toEqual([
      ['A', 'one two'],
      ['B', 'plain # not a comment'],
      ['C', 'x'],
      ['D', 'ab'],
    ]);
  });
});
