import { networkConfigFact, ownLeaseFact, vxlanConfigFact } from '../facts/datastore.ts';
import type { Fact, Observed } from '../facts/fact.ts';
import { type FactEnvironment, FactStore } from '../facts/fact-store.ts';
import { type FlannelInstall, flannelFact } from '../facts/flannel.ts';
import { identityFact } from '../facts/identity.ts';
import { type InterfaceInfo, interfacesFact } from '../facts/interfaces.ts';
import { desiredOverlayFact, underlayFact } from '../facts/overlay.ts';
import type { AnyCheck } from './check.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import type { Outcome } from './outcome.ts';
import type { DoctorReport, FlannelSection } from './report.ts';
import { requiredFacts, runChecks } from './run.ts';

export interface ExaminationInput {
  readonly checks: readonly AnyCheck[];
  readonly environment: FactEnvironment;
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** One look at the node: what was found, and what the head of the report says of the host and of flannel. */
export interface Examination {
  readonly diagnosis: Diagnosis;
  readonly host: DoctorReport['host'];
  readonly flannel: FlannelSection;
  /** Neither flannel nor traces of it are here, and no datastore was named. */
  readonly isNotApplicable: boolean;
  /** Errors that no collector should throw. */
  readonly crashes: readonly unknown[];
}

/** Facts → checks → diagnosis. Never throws for what it finds; a crash of one part leaves the others standing. */
export async function examine({ checks, environment, onOutcome }: ExaminationInput): Promise<Examination> {
  const facts = new FactStore(environment);
  // Before anything that may hang: an interrupted run still says of which host it speaks.
  const host = describeHost(facts);
  const presence = presenceOf(await facts.observe(flannelFact), environment.given.namesDatastore);
  const outcomes = await runChecks({
    checks,
    facts,
    clock: environment.clock,
    setAside: (check) => setAside(check, presence) ?? (environment.mayProbe ? undefined : setAsideUnprobed(check)),
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });
  return {
    diagnosis: diagnose(outcomes),
    host: await host,
    flannel: await describeFlannel(facts, presence),
    isNotApplicable: presence === 'nothing',
    crashes: facts.crashes,
  };
}

type Presence = 'here' | 'cluster-only' | 'nothing';

function presenceOf(observed: Observed<FlannelInstall>, namesDatastore: boolean): Presence {
  const isMissing =
    observed.status === 'known' && observed.value.deployment === 'none' && observed.value.traces.length === 0;
  if (!isMissing) return 'here';
  return namesDatastore ? 'cluster-only' : 'nothing';
}

function setAside(check: AnyCheck, presence: Presence): string | undefined {
  if (presence === 'here' || (presence === 'cluster-only' && check.scope === 'cluster')) return undefined;
  return 'neither flannel nor traces of it are on this host';
}

/** The user's own choice not to send packets is no failure to look. */
function setAsideUnprobed(check: AnyCheck): string | undefined {
  const isActive = requiredFacts(check.needs).some(({ cost }) => cost === 'active');
  return isActive ? 'sends packets, which --probe passive forbids' : undefined;
}

async function describeHost(facts: FactStore): Promise<DoctorReport['host']> {
  const identity = await valueOrUndefined(facts, identityFact);
  return {
    name: identity?.hostname ?? 'unknown',
    kernel: identity?.kernel ?? 'unknown',
    os: identity?.os ?? 'unknown',
    arch: identity?.arch ?? 'unknown',
  };
}

async function describeFlannel(facts: FactStore, presence: Presence): Promise<FlannelSection> {
  const install = await valueOrUndefined(facts, flannelFact);
  const base = {
    deployment: install?.deployment ?? 'none',
    version: install?.version ?? null,
    subnetManager: install?.subnetManager ?? 'unknown',
  };
  return presence === 'here' ? { ...base, ...(await describeOverlay(facts)) } : { ...base, ...NOTHING_KNOWN };
}

const NOTHING_KNOWN = {
  backend: null,
  vni: null,
  port: null,
  iface: null,
  publicIP: null,
  network: null,
  subnet: null,
  peers: null,
} as const;

async function describeOverlay(
  facts: FactStore,
): Promise<Omit<FlannelSection, 'deployment' | 'version' | 'subnetManager'>> {
  const [network, vxlan, underlay, lease, desired, interfaces] = await Promise.all([
    valueOrUndefined(facts, networkConfigFact),
    valueOrUndefined(facts, vxlanConfigFact),
    valueOrUndefined(facts, underlayFact),
    valueOrUndefined(facts, ownLeaseFact),
    valueOrUndefined(facts, desiredOverlayFact),
    valueOrUndefined(facts, interfacesFact),
  ]);
  const backend = network?.config.backend;
  const link = backend === undefined || vxlan !== undefined ? tunnelOf(interfaces ?? [], vxlan?.vni) : undefined;
  return {
    backend: backend === undefined ? null : backend.type === 'vxlan' ? 'vxlan' : backend.name,
    vni: vxlan?.vni ?? link?.vni ?? null,
    port: vxlan?.port ?? link?.port ?? null,
    iface: underlay?.device ?? null,
    publicIP: underlay?.publicIp ?? underlay?.publicIpv6 ?? null,
    network: network?.config.network ?? network?.config.ipv6Network ?? null,
    subnet: lease?.subnet ?? lease?.ipv6Subnet ?? null,
    peers: desired?.peers.length ?? null,
  };
}

/** The kernel's side of flannel.N; where the configuration cannot be read, of the only one there is. */
function tunnelOf(interfaces: readonly InterfaceInfo[], vni: number | undefined): InterfaceInfo['vxlan'] | undefined {
  const tunnels = interfaces.filter(({ name, vxlan }) => vxlan !== null && /^flannel\.\d+$/.test(name));
  const [first, second] = tunnels.filter(({ vxlan }) => vni === undefined || vxlan?.vni === vni);
  return second === undefined ? first?.vxlan : undefined;
}

async function valueOrUndefined<T>(facts: FactStore, fact: Fact<T>): Promise<T | undefined> {
  const observed = await facts.observe(fact);
  return observed.status === 'known' ? observed.value : undefined;
}
