import { describe, expect, it } from 'vitest';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { CollectContext, Fact, Observed } from '../../src/facts/fact.ts';
import { linkListingFact, routesFact } from '../../src/facts/kernel-listings.ts';
import { actualOverlayFact, desiredOverlayFact, overlayPlanFact, underlayFact } from '../../src/facts/overlay.ts';
import type { ExecResult, Host } from '../../src/host/host.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import { aConfig, actualOf, aDesired, aLease, anUnderlay, aVxlan, NOTHING } from '../dataplane/builders.ts';
import { secretBox } from '../support/collect.ts';

type Known = Readonly<Record<string, unknown>>;

const missing = (fact: Fact<unknown>) => new UnavailableError('unreachable', `${fact.name} was not given`);

/** Read from the host in every test, as these have no decisions in them. */
const LISTINGS: readonly Fact<unknown>[] = [linkListingFact, routesFact];

/** Facts by name; an error instead of a value is thrown. */
function contextOf(known: Known, host: Partial<Host> = {}): CollectContext {
  const get = async <T>(fact: Fact<T>): Promise<T> => {
    if (LISTINGS.includes(fact)) return fact.collect(context);
    const value = known[fact.name] ?? missing(fact);
    if (value instanceof Error) throw value;
    return value as T;
  };
  const observe = async <T>(fact: Fact<T>): Promise<Observed<T>> => {
    const value = known[fact.name] ?? missing(fact);
    if (value instanceof AbsentError) return { status: 'absent', detail: value.message };
    if (value instanceof UnavailableError) return { status: 'unknown', reason: value.reason, detail: value.message };
    return { status: 'known', value: value as T };
  };
  const context = { host, get, observe, secrets: secretBox() } as unknown as CollectContext;
  return context;
}

/** Answers by command line, as iproute2 6.1 on Linux 6.18 gave them; anything else is an empty list. */
function hostOf(answers: Readonly<Record<string, string | Partial<ExecResult>>>): Partial<Host> {
  return {
    exec: async (argv) => {
      const answer = answers[argv.join(' ')] ?? '[]';
      const result = typeof answer === 'string' ? { stdout: answer } : answer;
      return { exitCode: 0, stdout: '', stderr: '', ...result };
    },
  };
}

const eth0 = {
  name: 'eth0',
  mtuBytes: 1500,
  addresses: [
    { family: 4, ip: '192.168.9.1', scope: 'global', isDynamic: false, isTemporary: false, isDeprecated: false },
  ],
};
const flannel = { options: FLANNEL_DEFAULTS };
const ROUTES = 'ip -j -d route show table main';
const DEFAULT_ROUTE =
  '[{"type":"unicast","dst":"default","gateway":"192.168.9.254","dev":"eth0","protocol":"boot","scope":"global","flags":[]}]';

describe('underlayFact', () => {
  it('follows the default route of the main table', async () => {
    const context = contextOf(
      { 'flannel-start': flannel, interfaces: [eth0], 'network-config': { config: aConfig() } },
      hostOf({ [ROUTES]: DEFAULT_ROUTE }),
    );
    expect(await underlayFact.collect(context)).toMatchObject({ device: 'eth0', publicIp: '192.168.9.1', ipv6: null });
  });

  it('says what flannel would log when none can be chosen', async () => {
    const context = contextOf(
      { 'flannel-start': flannel, interfaces: [eth0], 'network-config': { config: aConfig() } },
      hostOf({}),
    );
    await expect(underlayFact.collect(context)).rejects.toMatchObject({
      reason: 'unsupported',
      message: 'failed to get default interface: unable to find default route',
    });
  });

  it("takes the families from flannel's devices while the datastore cannot be read", async () => {
    const devices = [eth0, { name: 'flannel.1', mtuBytes: 1450, addresses: [] }];
    const context = contextOf({ 'flannel-start': flannel, interfaces: devices }, hostOf({ [ROUTES]: DEFAULT_ROUTE }));
    expect(await underlayFact.collect(context)).toMatchObject({ device: 'eth0' });
  });

  it('does not guess the families where there is neither configuration nor device', async () => {
    const context = contextOf({ 'flannel-start': flannel, interfaces: [eth0] }, hostOf({ [ROUTES]: DEFAULT_ROUTE }));
    await expect(underlayFact.collect(context)).rejects.toMatchObject({ message: 'network-config was not given' });
  });
});

describe('desiredOverlayFact', () => {
  const base = {
    'network-config': { config: aConfig() },
    underlay: anUnderlay(),
    leases: { records: [aLease(1), aLease(2), aLease(3)] },
    'actual-overlay': NOTHING,
    'own-lease': aLease(1),
  };

  it('joins configuration, underlay and leases', async () => {
    expect(await desiredOverlayFact.collect(contextOf(base))).toEqual(aDesired());
  });

  it('takes nobody for a peer who holds the subnet of flannel.N while this node has no lease', async () => {
    const actual = { ...NOTHING, addresses: [{ kind: 'address', device: 'flannel.1', address: '10.244.2.0/32' }] };
    const known = { ...base, 'own-lease': new AbsentError('none'), 'actual-overlay': actual };
    const { peers } = await desiredOverlayFact.collect(contextOf(known));
    expect(peers.map(({ subnet }) => subnet)).toEqual(['10.244.3.0/24']);
  });

  it('takes nobody for a peer who holds the subnet of subnet.env while this node has no lease', async () => {
    const known = {
      ...base,
      'own-lease': new AbsentError('none'),
      'subnet-env': { subnet: '10.244.2.0/24', ipv6Subnet: null },
    };
    const { peers } = await desiredOverlayFact.collect(contextOf(known));
    expect(peers.map(({ subnet }) => subnet)).toEqual(['10.244.3.0/24']);
  });

  it('is not known while it is not known whether this node has a lease', async () => {
    const known = { ...base, 'own-lease': new UnavailableError('timeout', 'etcd is silent') };
    await expect(desiredOverlayFact.collect(contextOf(known))).rejects.toThrow('etcd is silent');
  });

  it('finds out from the main table which peers are on the link', async () => {
    const config = aConfig({ backend: aVxlan({ directRouting: true }) });
    const route = { kind: 'route', dst: '192.168.9.0/24', via: null, device: 'u0', isOnlink: false, metric: 0 };
    const known = { ...base, 'network-config': { config }, 'actual-overlay': { ...NOTHING, routes: [route] } };
    expect((await desiredOverlayFact.collect(contextOf(known))).peers).toMatchObject([
      { isDirect: true },
      { isDirect: true },
    ]);
  });
});

describe('actualOverlayFact', () => {
  it('is not known when a listing fails', async () => {
    const host = hostOf({ 'bridge -j fdb show': { exitCode: 255, stderr: 'Operation not permitted\n' } });
    await expect(actualOverlayFact.collect(contextOf({}, host))).rejects.toMatchObject({ reason: 'permission' });
  });

  it('is not known when the output is no JSON', async () => {
    const host = hostOf({ 'ip -j neigh show': '[' });
    await expect(actualOverlayFact.collect(contextOf({}, host))).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('tells a device of another kind that has the name of ours', async () => {
    const link = '[{"ifname":"flannel.1","flags":["UP"],"mtu":1500,"linkinfo":{"info_kind":"bridge"},"addr_info":[]}]';
    const host = hostOf({ 'ip -j -d -s addr': link });
    expect(await actualOverlayFact.collect(contextOf({}, host))).toMatchObject({
      links: [],
      strangers: { 'flannel.1': 'bridge' },
    });
  });

  it('takes a main table that does not exist for an empty one (iproute2 6.1)', async () => {
    const stderr = 'Error: ipv4: FIB table does not exist.\nDump terminated\n';
    const host = hostOf({ [ROUTES]: { exitCode: 2, stdout: '[', stderr } });
    expect(await actualOverlayFact.collect(contextOf({}, host))).toMatchObject({ routes: [] });
  });
});

describe('overlayPlanFact', () => {
  it('removes what nobody needs, because the listing is complete', async () => {
    const known = { 'desired-overlay': aDesired({ leases: [] }), 'actual-overlay': actualOf(aDesired()) };
    const { operations } = await overlayPlanFact.collect(contextOf(known));
    expect(operations.filter(({ verb }) => verb === 'delete')).toHaveLength(6);
  });
});
