import { type AgentParts, type Board, makeBoard, type RoundReport } from '../../src/agent/board.ts';
import type { AgentSettings } from '../../src/agent/settings.ts';
import { AbsentError, UnavailableError } from '../../src/errors.ts';
import type { ExecResult, Host, HostWriter } from '../../src/host/host.ts';
import type { Resident } from '../../src/host/resident.ts';
import { FLANNEL_DEFAULTS } from '../../src/net/flannel-options.ts';
import type { Lease, LeaseAttributes, LeaseListing, LeaseRecord, SubnetStore } from '../../src/store/store.ts';
import { aConfig, aLease, anUnderlay } from '../dataplane/builders.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';

/** An agent's board whose ports are all fakes; a test gives those that it is about. */
export interface FakeNode {
  readonly board: Board;
  readonly clock: FakeClock;
  /** `warn the leases cannot be read`, one line an event. */
  readonly log: readonly string[];
  readonly datastoreErrors: readonly string[];
  /** Rounds that came to their end. */
  readonly rounds: () => number;
}

export interface FakePorts {
  readonly host?: Partial<Host>;
  readonly writer?: Partial<HostWriter>;
  readonly resident?: Partial<Resident>;
  readonly store?: Partial<SubnetStore>;
  readonly settings?: Partial<AgentSettings>;
  readonly announce?: () => Promise<void>;
}

export function fakeNode(ports: FakePorts = {}): FakeNode {
  const clock = fakeClock();
  const log: string[] = [];
  const datastoreErrors: string[] = [];
  let rounds = 0;
  const say =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void log.push([level, message, ...Object.values(fields)].join(' '));
  const parts: AgentParts = {
    clock,
    host: port<Host>('host', { ...quietHost(), ...ports.host }),
    writer: port<HostWriter>('writer', { ...ports.writer }),
    resident: port<Resident>('resident', { watchdogMs: undefined, notify: async () => undefined, ...ports.resident }),
    // the records of a test come with their times
    store: port<SubnetStore>(
      'store',
      { kind: 'etcd', description: 'etcd', readTimes: async ({ records }) => records, ...ports.store },
      ['assigned'],
    ),
    log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    measures: {
      round: () => (rounds += 1),
      drift: () => undefined,
      programmed: () => undefined,
      datastoreError: (operation) => datastoreErrors.push(operation),
      text: async () => '',
    },
    ...(ports.announce && { announce: ports.announce }),
  };
  const settings: AgentSettings = {
    options: FLANNEL_DEFAULTS,
    onConflict: 'fail',
    force: false,
    takeover: false,
    leasesFile: undefined,
    cniConf: undefined,
    stateFile: '/nowhere/state.json',
    prefix: '/coreos.com/network',
    ...ports.settings,
  };
  const start = {
    config: aConfig(),
    configText: '{}',
    underlay: anUnderlay({ device: 'eth0', ipv6: null, publicIpv6: null }),
    wanted: ownLease().attributes,
  };
  return { board: makeBoard({ parts, settings, start }), clock, log, datastoreErrors, rounds: () => rounds };
}

/** 10.244.1.0/24 at 192.168.9.1, IPv4 alone. */
export function ownLease(values: Partial<Lease> = {}, attributes: Partial<LeaseAttributes> = {}): Lease {
  return aLease(
    1,
    { ipv6Subnet: null, ...values },
    { publicIpv6: null, vtepV6: null, backendV6Data: null, ...attributes },
  );
}

export function listing(records: readonly LeaseRecord[]): LeaseListing {
  return { records, revision: '1', clusterId: 'c', source: 'etcd' };
}

/** A round that ended at `at` and found all in order. */
export function goodRound(at: number): RoundReport {
  const desired = { devices: [], networks: [], entries: [], peers: [], ignored: [] };
  return { at, desired, drift: [], heldBack: [], subnetEnv: undefined };
}

export const unreachable = () => new UnavailableError('unreachable', 'etcd refused the connection');

export function done(stdout = '', exitCode = 0): ExecResult {
  return { exitCode, stdout, stderr: '' };
}

/** A host with an interface and a default route, on which nobody runs anything: a round finds nothing to do. */
function quietHost(): Partial<Host> {
  return {
    exec: async (argv) => done(KERNEL[argv.join(' ')] ?? '[]'),
    readDir: async (path) => (path === '/proc' ? ['1'] : []),
    readFile: async (path) => {
      const text = FILES[path];
      if (text === undefined) throw new AbsentError(`${path} is not there`);
      return text;
    },
    readLink: async () => 'net:[1]',
  };
}

/** A process of that name, in the namespace of the agent. */
export function hostRunning(argv: string, more: Readonly<Record<string, string>> = {}): Partial<Host> {
  const files: Readonly<Record<string, string>> = {
    ...FILES,
    '/proc/77/cmdline': `${argv.replaceAll(' ', '\0')}\0`,
    '/proc/77/stat': `77 (x) S ${Array.from({ length: 18 }, () => '0').join(' ')} 5 0`,
    '/proc/77/cgroup': '0::/init.scope\n',
    ...more,
  };
  return {
    readDir: async (path) => (path === '/proc' ? ['1', '77'] : []),
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new AbsentError(`${path} is not there`);
      return text;
    },
  };
}

const FILES: Readonly<Record<string, string>> = {
  '/proc/1/cmdline': 'init\0',
  '/proc/1/comm': 'init\n',
  '/proc/2/comm': 'kthreadd\n',
  '/proc/stat': 'btime 1795000000\n',
};

/** Of iproute2 6.1, with what nobody reads left out. */
export const KERNEL: Readonly<Record<string, string>> = {
  'ip -j -d -s addr':
    '[{"ifname":"eth0","flags":["UP"],"mtu":1500,"addr_info":[{"family":"inet","local":"192.168.9.1","prefixlen":24,"scope":"global"}]}]',
  'ip -j -d route show table main':
    '[{"type":"unicast","dst":"default","gateway":"192.168.9.254","dev":"eth0","flags":[]}]',
};

/** Only what a test gives is there to be asked, and what a port may lack. */
function port<P extends object>(name: string, given: Partial<P>, optional: readonly string[] = []): P {
  const lacking = optional.map((member) => [member, undefined] as const);
  const members = new Map<string | symbol, unknown>([...lacking, ...Object.entries(given)]);
  return new Proxy(Object.create(null), {
    get: (_target, property) => {
      if (!members.has(property)) throw new Error(`nobody should ask for ${name}.${String(property)}`);
      return members.get(property);
    },
  });
}
