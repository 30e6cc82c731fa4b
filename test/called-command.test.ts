import { describe, expect, it } from 'vitest';
import { calledCommand } from '../src/called-command.ts';

const IDS = ['doctor', 'checks', 'drill:up', 'drill:down', 'leases', 'leases:list'];

describe('the command that was called', () => {
  it('takes the words behind it as its own arguments', () => {
    expect(calledCommand(['doctor', 'fdb-missing', '-o', 'json'], IDS)).toEqual({
      kind: 'command',
      id: 'doctor',
      argv: ['fdb-missing', '-o', 'json'],
    });
  });

  it('is the one with the most words', () => {
    expect(calledCommand(['leases', 'list', '--no-ttl'], IDS)).toMatchObject({ id: 'leases:list', argv: ['--no-ttl'] });
    expect(calledCommand(['leases', '10.244.1.0/24'], IDS)).toMatchObject({ id: 'leases', argv: ['10.244.1.0/24'] });
  });

  it('is none where the words name a group of commands', () => {
    expect(calledCommand(['drill'], IDS)).toEqual({ kind: 'topic' });
  });

  it('is refused with the one that was meant', () => {
    expect(() => calledCommand(['docter'], IDS)).toThrowError(
      expect.objectContaining({ exitCode: 64, hint: expect.stringContaining('"flannelctl doctor"') }),
    );
  });

  it('is looked for among the commands of its group', () => {
    expect(() => calledCommand(['drill', 'uo'], IDS)).toThrowError(
      expect.objectContaining({
        message: '"drill uo" is no command of flannelctl',
        hint: expect.stringContaining('"flannelctl drill up"'),
      }),
    );
  });

  it('may be meant to be a group', () => {
    expect(() => calledCommand(['dril'], IDS)).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining('"flannelctl drill"') }),
    );
  });

  it('is not guessed from something quite different', () => {
    expect(() => calledCommand(['xyzzyplugh'], IDS)).toThrowError(
      expect.objectContaining({ hint: 'See flannelctl --help.' }),
    );
  });

  it('does not begin with a flag', () => {
    expect(() => calledCommand(['--debug', 'doctor'], IDS)).toThrow('--debug stands before the command');
  });
});
