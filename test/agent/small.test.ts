import { describe, expect, it } from 'vitest';
import { concernsUs } from '../../src/agent/follow-kernel.ts';
import { concernsRules } from '../../src/agent/follow-rules.ts';
import { readTold } from '../../src/agent/knowledge.ts';
import { logfmt } from '../../src/agent/log.ts';
import { type AgentState, readState, strangeness, writeState } from '../../src/agent/state-file.ts';
import { toldOf } from '../../src/agent/told.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import { systemClock } from '../../src/host/system-clock.ts';
import { parseCidr } from '../../src/net/cidr.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('a line of nft monitor', () => {
  it.each([
    ['delete rule ip filter FLANNEL-FWD handle 2', true],
    ['delete rule ip nat POSTROUTING handle 4', true],
    ['add rule ip filter FORWARD  counter packets 0 bytes 0 drop', true],
    ['delete rule ip flannel-ipv4 forward handle 2', true],
    ['# ERROR: We lost some netlink events!', true],
    ['add rule ip nat KUBE-POSTROUTING  counter packets 0 bytes 0 return', false],
    ['delete rule ip filter KUBE-FORWARD handle 9', false],
    ['# new generation 7 by process 8519 (iptables)', false],
  ])('%s concerns our rules: %s', (line, expected) => {
    expect(concernsRules(line)).toBe(expected);
  });
});

describe('a line of ip monitor', () => {
  it.each([
    ['[LINK]Deleted 4: flannel.1: <BROADCAST> mtu 1300', true],
    ['[ROUTE]Deleted 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink ', true],
    ['[NEIGH]10.0.0.2 dev flannel.1 lladdr 02:00:00:00:00:02 NOARP PERMANENT ', true],
    ['[ADDR]2: eth0    inet 192.168.9.41/24 scope global eth0', true],
    ['[NEIGH]192.168.9.1 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE', false],
    ['[LINK]9: veth1@if2: <BROADCAST> mtu 1500', false],
    ['[ROUTE]172.16.0.0/12 dev docker0 ', false],
    ['[ROUTE]Deleted 10.244.2.0/24 via 192.168.7.1 dev eth1 ', true],
    ['[ROUTE]10.244.2.7 dev eth1 scope link ', true],
    ['[ROUTE]blackhole 10.244.2.0/24 ', true],
    ['[ROUTE]Deleted blackhole 10.244.1.0/24 ', true],
    ['[ROUTE]default via 192.168.7.1 dev eth1 ', true],
    ['[ROUTE]broadcast 192.168.7.255 dev eth1 table local proto kernel scope link ', false],
  ])('%s concerns us: %s', (line, expected) => {
    const network = parseCidr('10.244.0.0/16');
    expect(concernsUs(line, { underlay: 'eth0', networks: network === undefined ? [] : [network] })).toBe(expected);
  });
});

describe('a line of the log', () => {
  it('quotes what a stranger wrote', () => {
    const lines: string[] = [];
    logfmt({ ...systemClock, now: () => 0 }, (line) => lines.push(line), { debug: false }).warn('bad lease', {
      key: 'a b"\n\u009b31m',
    });
    expect(lines).toEqual(['time=1970-01-01T00:00:00.000Z level=warn msg="bad lease" key="a b\\"\\n\\u009b31m"']);
  });
});

const STATE: AgentState = {
  machineId: 'abc',
  node: 'n1',
  publicIp: '192.168.9.1',
  publicIpv6: null,
  prefix: '/coreos.com/network',
  clusterId: '1',
  savedAt: 1,
  config: '{}',
  own: null,
  records: [],
  devices: ['flannel.1'],
  subnetFile: '/run/flannel/subnet.env',
  subnetEnv: null,
};

describe('the state file', () => {
  const here = { machineId: 'abc', node: 'n1', publicIp: '192.168.9.1', publicIpv6: null, prefix: STATE.prefix };

  it('is read as it was written', async () => {
    const path = `${await temporaryDirectory()}/state.json`;
    await writeState(liveWriter({ root: '/' }), path, STATE);
    expect(await readState(liveHost({ root: '/' }), path)).toMatchObject(STATE);
  });

  it('can be read back whatever a stranger wrote into the datastore', async () => {
    const path = `${await temporaryDirectory()}/state.json`;
    const base = { expiresAt: null, etcdLease: null, modRevision: '1', node: null, value: 'x', reason: 'y' };
    const pair = { subnet: '10.244.1.0/24', ipv6Subnet: null };
    const good = { ...base, ...pair, kind: 'unreadable-value', key: '10.244.1.0-24' } as const;
    const long = { ...base, kind: 'malformed-key', key: 'k'.repeat(100_000) } as const;
    await writeState(liveWriter({ root: '/' }), path, { ...STATE, records: [long, good] });
    expect((await readState(liveHost({ root: '/' }), path))?.records).toEqual([good]);
  });

  it('is refused when it is damaged', async () => {
    const path = `${await temporaryDirectory()}/state.json`;
    await liveWriter({ root: '/' }).writeFile(path, '{"version":1}');
    await expect(readState(liveHost({ root: '/' }), path)).rejects.toMatchObject({ exitCode: 65 });
  });

  it('tells what the agent was told, unless the agent itself does', async () => {
    const [directory, host] = [await temporaryDirectory(), liveHost({ root: '/' })];
    const stateFile = `${directory}/state.json`;
    const told = toldOf({ ...FLANNEL_DEFAULTS, iface: ['eth1'], ipMasq: true });
    await writeState(liveWriter({ root: '/' }), stateFile, { ...STATE, told });
    expect(await readTold(host, { agent: null, stateFile })).toEqual(told);
    const now = { ...told, ipMasq: false };
    expect(await readTold(host, { agent: { told: now }, stateFile })).toEqual(now);
    expect(await readTold(host, { agent: { told: { iface: 'eth1' } }, stateFile })).toEqual(told);
  });

  it('tells nothing of the kind when it is damaged, missing or of an earlier version', async () => {
    const [directory, host] = [await temporaryDirectory(), liveHost({ root: '/' })];
    const stateFile = `${directory}/state.json`;
    expect(await readTold(host, { agent: null, stateFile })).toBeUndefined();
    await writeState(liveWriter({ root: '/' }), stateFile, STATE);
    expect(await readTold(host, { agent: null, stateFile })).toBeUndefined();
    await liveWriter({ root: '/' }).writeFile(stateFile, 'x');
    expect(await readTold(host, { agent: null, stateFile })).toBeUndefined();
  });

  it('is ours only on this machine, with this address, in this datastore', () => {
    expect(strangeness(STATE, here)).toBeUndefined();
    expect(strangeness(STATE, { ...here, machineId: 'clone' })).toContain('another id');
    expect(strangeness(STATE, { ...here, node: 'n2' })).toContain('not of n2');
    expect(strangeness(STATE, { ...here, publicIp: '192.168.9.2' })).toContain('not 192.168.9.2');
    expect(strangeness(STATE, { ...here, prefix: '/other' })).toContain('not of /other');
  });
});
