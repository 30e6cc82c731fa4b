import { describe, expect, it } from 'vitest';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import { readFirewall } from '../../src/facts/firewall.ts';
import type { ExecResult, Host } from '../../src/host/host.ts';

const done = (stdout: string): ExecResult => ({ exitCode: 0, stdout, stderr: '' });
const failed = (stderr: string): ExecResult => ({ exitCode: 1, stdout: '', stderr });

const NO_RULES = done('{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}]}\n');
const DROP = done('*filter\n:INPUT ACCEPT [0:0]\n[7:420] -A INPUT -p udp -m udp --dport 8472 -j DROP\nCOMMIT\n');

interface Machine {
  readonly commands?: Readonly<Record<string, ExecResult>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Programs and files that are not named are not there. */
function machine({ commands = {}, files = {} }: Machine): Host {
  const absent = (path: string) => Promise.reject(new AbsentError(`${path} is not there`));
  const refuse = () => Promise.reject(new Error('not asked for'));
  return {
    identity: () => Promise.resolve({ hostname: 'a', kernel: '6.1', os: 'debian 12', arch: 'x64', uid: 0 }),
    exec: (argv) => {
      const result = commands[argv.join(' ')];
      return result === undefined
        ? Promise.reject(new UnavailableError('missing-tool', `${argv[0]} is not installed`))
        : Promise.resolve(result);
    },
    readFile: (path) => {
      const text = files[path];
      return text === undefined ? absent(path) : Promise.resolve(text);
    },
    stat: (path) =>
      path in files ? Promise.resolve({ type: 'directory', sizeBytes: 0, modifiedAt: 0, mode: 0o755 }) : absent(path),
    readDir: refuse,
    readLink: refuse,
    connect: refuse,
    udp: refuse,
    exchange: refuse,
  };
}

const nft = (json: ExecResult, text: ExecResult = done('')) => ({
  'nft -j list ruleset': json,
  'nft -a list ruleset': text,
});

describe('the rules of this host', () => {
  it('are none where nft prints nothing', async () => {
    expect((await readFirewall(machine({ commands: nft(done('')) }))).chains).toEqual([]);
  });

  it('are none where the kernel has no nf_tables', async () => {
    const commands = nft(failed('Unable to initialize Netlink socket: Protocol not supported'));
    expect((await readFirewall(machine({ commands }))).chains).toEqual([]);
  });

  it('cannot be read without the right to', async () => {
    const commands = nft(failed('Operation not permitted (you must be root)'));
    await expect(readFirewall(machine({ commands }))).rejects.toMatchObject({ reason: 'permission' });
  });

  it('cannot be known without nft where the kernel has loaded nf_tables', async () => {
    const host = machine({ files: { '/sys/module/nf_tables': '' } });
    await expect(readFirewall(host)).rejects.toMatchObject({ reason: 'missing-tool' });
  });

  it('cannot be known without nft where nobody can tell whether nf_tables is built in', async () => {
    await expect(readFirewall(machine({}))).rejects.toMatchObject({ reason: 'missing-tool' });
  });

  it('are those of iptables alone where the kernel has no nf_tables and nft is not installed', async () => {
    const host = machine({
      commands: { 'iptables --version': done('iptables v1.6.0'), 'iptables-save -c': DROP },
      files: { '/lib/modules/6.1/modules.builtin': 'kernel/net/foo.ko\n', '/proc/net/ip_tables_names': 'filter\n' },
    });
    const rules = (await readFirewall(host)).chains.flatMap((chain) => chain.rules);
    expect(rules.map(({ deleteCommand, packets }) => [deleteCommand, packets])).toEqual([
      ['iptables -t filter -D INPUT -p udp -m udp --dport 8472 -j DROP', 7],
    ]);
  });

  it('cannot be known where the kernel holds legacy tables and no tool reads them', async () => {
    const host = machine({ commands: nft(NO_RULES), files: { '/proc/net/ip_tables_names': 'filter\nraw\n' } });
    await expect(readFirewall(host)).rejects.toThrow('legacy tables (filter, raw)');
  });

  it('are not taken from a legacy table that was printed in part', async () => {
    const host = machine({
      commands: {
        ...nft(NO_RULES),
        'iptables --version': done('iptables v1.8.9 (nf_tables)'),
        'iptables-legacy-save -c': done('*filter\n:INPUT ACCEPT [0:0]\n'),
      },
      files: { '/proc/net/ip_tables_names': 'filter\n' },
    });
    await expect(readFirewall(host)).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('are refused when nft prints something else', async () => {
    await expect(readFirewall(machine({ commands: nft(done('{"nft')) }))).rejects.toMatchObject({
      reason: 'malformed',
    });
  });
});
