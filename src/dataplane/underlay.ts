import { type Family, familyOf } from '../net/cidr.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { RouteEntry } from './entry.ts';
import { compileGoRegexp } from './go-regexp.ts';
import { routeLookup } from './routing.ts';
import { addressesOf, type UnderlayInterface } from './underlay-address.ts';
import {
  BY_MAIN_TABLE,
  type DefaultCandidate,
  type PolicyRouting,
  type Reached,
  rankDefaults,
} from './underlay-routes.ts';

/** The interface that carries the tunnel, and the addresses that are advertised. */
export interface Underlay {
  readonly device: string;
  readonly mtuBytes: number;
  /** Address of the interface; `null` on a single-family host. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** Advertised address: `--public-ip` if given, else the interface's. */
  readonly publicIp: string | null;
  readonly publicIpv6: string | null;
  /**
   * Where the tunnel sends from when that is not the advertised address: one that no interface of this host has, so that the kernel could
   * not send from it (NAT). flannel since v0.27.4 gives its device the advertised one all the same, and nothing leaves it.
   */
  readonly tunnelIpv4?: string;
  readonly tunnelIpv6?: string;
  /** Why this one: `--iface=eth0`. */
  readonly because: string;
}

export type UnderlayChoice =
  /** `missed`: what was tried before, in flannel's words. */
  | { readonly status: 'chosen'; readonly underlay: Underlay; readonly missed: readonly string[] }
  /** `reason` in flannel's words where it has any; `hint` is the next step. */
  | { readonly status: 'none'; readonly reason: string; readonly hint: string };

export interface UnderlayInput {
  readonly options: Pick<FlannelOptions, 'iface' | 'ifaceRegex' | 'ifaceCanReach' | 'publicIp' | 'publicIpv6'>;
  /** By index, as the kernel lists them. */
  readonly interfaces: readonly UnderlayInterface[];
  /** Main table, both families, as the kernel lists it: the first default route is the one that is taken. */
  readonly routes: readonly RouteEntry[];
  /**
   * Default routes of all tables: then a multipath, a blackhole or a policy-routed default is understood, with which flannel
   * does not start. Absence: only `routes` is known, and the answer is flannel's.
   */
  readonly policy?: PolicyRouting;
  /** The kernel's own way to `--iface-can-reach`, `null`: none. Absence: it is looked up in `routes`. */
  readonly reached?: Reached | null;
  readonly wantsIpv4: boolean;
  readonly wantsIpv6: boolean;
}

/** A hit before the addresses are settled; an address that was itself the hit is kept. */
interface Match {
  readonly face: UnderlayInterface;
  readonly because: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
}

type Attempt = Match | { readonly miss: string };

const NO_MATCH = 'Failed to find interface to use that matches the interfaces and/or regexes provided';
const NAME_ONE = 'Name the interface with --iface.';

/** The external interface as flannel chooses it (flannel main.go and pkg/ipmatch): the first hit wins. */
export function chooseUnderlay(input: UnderlayInput): UnderlayChoice {
  if (!input.wantsIpv4 && !input.wantsIpv6) return none('none defined stack', 'Set EnableIPv4 or EnableIPv6.');
  const attempts = attemptsOf(input);
  const misses: string[] = [];
  for (const attempt of attempts) {
    const found = attempt();
    const settled = 'miss' in found ? found : settle(found, input);
    if ('device' in settled) return { status: 'chosen', underlay: settled, missed: misses };
    misses.push(settled.miss);
  }
  const isOnlyOne = attempts.length === 1 && !isSelective(input);
  return none(isOnlyOne ? (misses[0] ?? NO_MATCH) : `${NO_MATCH}: ${misses.join('; ')}`, NAME_ONE);
}

function attemptsOf(input: UnderlayInput): readonly (() => Attempt)[] {
  const { iface, ifaceRegex, ifaceCanReach, publicIp } = input.options;
  if (!isSelective(input)) {
    return [publicIp === '' ? () => byDefaultRoute(input) : () => byName(publicIp, `--public-ip=${publicIp}`, input)];
  }
  return [
    ...iface.map((name) => () => byName(name, `--iface=${name}`, input)),
    ...ifaceRegex.map((pattern) => () => byPattern(pattern, input)),
    ...(ifaceCanReach === '' ? [] : [() => byReach(ifaceCanReach, input)]),
  ];
}

function isSelective({ options }: UnderlayInput): boolean {
  return options.iface.length > 0 || options.ifaceRegex.length > 0 || options.ifaceCanReach !== '';
}

function byName(name: string, because: string, input: UnderlayInput): Attempt {
  const family = familyOf(name);
  const isWanted = family === undefined || (family === 4 ? input.wantsIpv4 : input.wantsIpv6);
  const face = input.interfaces.find((candidate) =>
    family === undefined ? candidate.name === name : isWanted && candidate.addresses.some(({ ip }) => ip === name),
  );
  if (face === undefined) {
    const why = family === undefined ? 'no such network interface' : 'no interface with given IP found';
    return { miss: `error looking up interface ${name}: ${why}` };
  }
  return { face, because, ...(family === 4 && { ipv4: name }), ...(family === 6 && { ipv6: name }) };
}

function byPattern(pattern: string, input: UnderlayInput): Attempt {
  const regexp = compileGoRegexp(pattern);
  if (regexp === undefined) return { miss: `could not compile the IP address regex '${pattern}'` };
  const because = `--iface-regex=${pattern}`;
  for (const face of input.interfaces) {
    const ipv4 = addressesOf(face, 4).find((ip) => regexp.test(ip));
    const ipv6 = addressesOf(face, 6).find((ip) => regexp.test(ip));
    if ((input.wantsIpv4 && ipv4 === undefined) || (input.wantsIpv6 && ipv6 === undefined)) continue;
    return { face, because, ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
  }
  const named = input.interfaces.find(({ name }) => regexp.test(name));
  if (named !== undefined) return { face: named, because };
  return { miss: `Could not match pattern ${pattern} to any of the available network interfaces` };
}

function byReach(target: string, input: UnderlayInput): Attempt {
  const way = input.reached === undefined ? wayInTable(target, input) : input.reached;
  const face = input.interfaces.find(({ name }) => name === way?.device);
  if (way === null || face === undefined) {
    return { miss: `failed to get ifcanreach based interface: no route to ${target}` };
  }
  const source = way.src === undefined ? {} : familyOf(way.src) === 4 ? { ipv4: way.src } : { ipv6: way.src };
  return { face, because: `--iface-can-reach=${target}`, ...source };
}

function wayInTable(target: string, { routes }: UnderlayInput): Reached | null {
  const route = routeLookup(routes)(target);
  if (route === undefined || route.device === null) return null;
  return { device: route.device, ...(route.src !== undefined && { src: route.src }) };
}

function byDefaultRoute(input: UnderlayInput): Attempt {
  const ipv4 = input.wantsIpv4 ? defaultInterfaces(input, 4) : undefined;
  const ipv6 = input.wantsIpv6 ? defaultInterfaces(input, 6) : undefined;
  if (ipv4 !== undefined && 'miss' in ipv4) return { miss: `failed to get default interface: ${ipv4.miss}` };
  if (ipv6 !== undefined && 'miss' in ipv6) return { miss: `failed to get default v6 interface: ${ipv6.miss}` };
  const face = ipv4?.faces.find((candidate) => ipv6?.faces.includes(candidate) ?? true) ?? (ipv4 ?? ipv6)?.faces[0];
  if (face === undefined) return { miss: 'none matched ip stack' };
  if (ipv6 !== undefined && !ipv6.faces.includes(face)) {
    const other = ipv6.faces[0]?.name ?? '';
    return {
      miss: `v6 default route interface ${other} must be the same with v4 default route interface ${face.name}`,
    };
  }
  return { face, because: (ipv4 ?? ipv6)?.because ?? '' };
}

interface DefaultInterfaces {
  /** At least one; several of a multipath route. */
  readonly faces: readonly UnderlayInterface[];
  readonly because: string;
}

function defaultInterfaces(input: UnderlayInput, family: Family): DefaultInterfaces | { readonly miss: string } {
  const { interfaces } = input;
  const [best] =
    input.policy === undefined ? firstOfMain(input, family) : rankDefaults(input.policy, family, interfaces);
  if (best === undefined) return { miss: 'unable to find default route' };
  const faces = best.route.devices.flatMap((device) => interfaces.find(({ name }) => name === device) ?? []);
  const addressed = faces.filter((face) => addressesOf(face, family).length > 0);
  if (faces.length === 0) return { miss: 'found default route but could not determine interface' };
  return { faces: addressed.length > 0 ? addressed : faces, because: best.because };
}

/** As flannel: the first one listed, whatever it is. */
function firstOfMain({ routes }: UnderlayInput, family: Family): readonly DefaultCandidate[] {
  const dst = family === 4 ? '0.0.0.0/0' : '::/0';
  return routes
    .filter((route) => route.dst === dst)
    .map(({ device, type = 'unicast', metric }) => ({
      route: { family, table: 'main', type, metric, devices: device === null ? [] : [device] },
      because: BY_MAIN_TABLE,
    }));
}

function settle(match: Match, input: UnderlayInput): Underlay | { readonly miss: string } {
  const { face } = match;
  const { publicIp, publicIpv6 } = input.options;
  if (publicIp !== '' && familyOf(publicIp) !== 4) return { miss: `invalid public IP address: ${publicIp}` };
  if (publicIpv6 !== '' && familyOf(publicIpv6) !== 6) return { miss: `invalid public IPv6 address: ${publicIpv6}` };
  if (face.mtuBytes === 0) return { miss: `failed to determine MTU for ${face.name} interface` };
  const ipv4 = input.wantsIpv4 ? (match.ipv4 ?? addressesOf(face, 4)[0]) : undefined;
  const ipv6 = input.wantsIpv6 ? ipv6Of(match, input) : undefined;
  if (input.wantsIpv4 && ipv4 === undefined) return { miss: `failed to find IPv4 address for interface ${face.name}` };
  if (input.wantsIpv6 && ipv6 === undefined) return { miss: `failed to find IPv6 address for interface ${face.name}` };
  const isElsewhere = (ip: string) =>
    ip !== '' && !input.interfaces.some(({ addresses }) => addresses.some((own) => own.ip === ip));
  return {
    device: face.name,
    mtuBytes: face.mtuBytes,
    ipv4: ipv4 ?? null,
    ipv6: ipv6 ?? null,
    publicIp: ipv4 === undefined ? null : publicIp || ipv4,
    publicIpv6: ipv6 === undefined ? null : publicIpv6 || ipv6,
    ...(ipv4 !== undefined && isElsewhere(publicIp) && { tunnelIpv4: ipv4 }),
    ...(ipv6 !== undefined && isElsewhere(publicIpv6) && { tunnelIpv6: ipv6 }),
    because: match.because,
  };
}

/** In dual stack an interface named by its IPv4 address has no IPv6 address of its own choice: --public-ipv6 must name one of it. */
function ipv6Of(match: Match, input: UnderlayInput): string | undefined {
  if (match.ipv6 !== undefined) return match.ipv6;
  const candidates = addressesOf(match.face, 6);
  if (match.ipv4 === undefined) return candidates[0];
  const { publicIpv6 } = input.options;
  return match.face.addresses.some(({ ip }) => ip === publicIpv6) ? publicIpv6 : undefined;
}

function none(reason: string, hint: string): UnderlayChoice {
  return { status: 'none', reason, hint };
}
