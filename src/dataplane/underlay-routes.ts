import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import { containsIp, type Family, parseCidr } from '../net/cidr.ts';
import type { UnderlayInterface } from './underlay-address.ts';

/** A default route of any table, as the kernel lists it. */
export interface TableDefault {
  readonly family: Family;
  /** `main`, `100`. */
  readonly table: string;
  /** `unicast`, `blackhole`, `unreachable` … */
  readonly type: string;
  /** Output interfaces that are in use, several of a multipath route; empty where the packet ends here. */
  readonly devices: readonly string[];
  readonly metric: number;
}

/** A line of `ip rule`, as far as it can lead to a default route. */
export interface PolicyRule {
  readonly family: Family;
  readonly priority: number;
  readonly table: string;
  /** CIDR notation of the senders it is for; `null`: all. */
  readonly from: string | null;
}

/** How this host's packets find a default route, all tables. */
export interface PolicyRouting {
  readonly defaults: readonly TableDefault[];
  /** By priority. Rules with other conditions (mark, interface, user, protocol) are left out: nobody knows whom they are for. */
  readonly rules: readonly PolicyRule[];
}

/** Why an interface is taken that a default route of the main table leads to, as flannel has it. */
export const BY_MAIN_TABLE = 'default route';

/** A default route that would do, with the way there in words. */
export interface DefaultCandidate {
  readonly route: TableDefault;
  /** `default route`, `default route of table 100`. */
  readonly because: string;
}

/**
 * Default routes that lead out of this host, best first: those of the main table in the kernel's order, as flannel takes them; then those
 * of the tables that rules for everybody lead to; then those of rules for an address that the outgoing interface has.
 */
export function rankDefaults(
  { defaults, rules }: PolicyRouting,
  family: Family,
  interfaces: readonly UnderlayInterface[],
): readonly DefaultCandidate[] {
  const usable = defaults.filter((route) => route.family === family && route.devices.length > 0);
  const main = usable.filter(({ table }) => table === 'main').map((route) => ({ route, because: BY_MAIN_TABLE }));
  const others = rules.filter((rule) => rule.family === family && rule.table !== 'main' && rule.table !== 'local');
  const leads = (rule: PolicyRule) =>
    usable.filter(({ table }) => table === rule.table).map((route) => ({ route, rule }));
  const forAll = others.filter(({ from }) => from === null).flatMap(leads);
  const forOne = others.filter(({ from }) => from !== null).flatMap(leads);
  const owned = forOne.filter(({ route, rule }) => hasSender(route, rule, interfaces));
  const byPolicy = [...forAll, ...owned].map(({ route, rule }) => ({ route, because: wayOf(rule) }));
  return [...main, ...byPolicy];
}

function wayOf({ table, priority, from }: PolicyRule): string {
  return `default route of table ${table} (rule ${priority}${from === null ? '' : `, from ${from}`})`;
}

function hasSender(route: TableDefault, { from }: PolicyRule, interfaces: readonly UnderlayInterface[]): boolean {
  const senders = parseCidr(from ?? '');
  const outgoing = interfaces.filter(({ name }) => route.devices.includes(name));
  return senders !== undefined && outgoing.some(({ addresses }) => addresses.some(({ ip }) => containsIp(senders, ip)));
}

const nexthopSchema = v.object({ dev: v.optional(v.string()), flags: v.optional(v.array(v.string()), []) });
const defaultSchema = v.object({
  type: v.optional(v.string(), 'unicast'),
  dev: v.optional(v.string()),
  table: v.optional(v.string(), 'main'),
  metric: v.optional(v.number(), 0),
  nexthops: v.optional(v.array(nexthopSchema), []),
});

/** `ip -j -d route show table all default`. @throws {UnavailableError} `malformed` */
export function parseTableDefaults(json: string, family: Family): readonly TableDefault[] {
  return parseList(json, defaultSchema, 'ip -j route show table all default').map((route) => {
    const { type, table, metric, dev, nexthops } = route;
    const devices = type === 'unicast' ? devicesOf(dev, nexthops) : [];
    return { family, table, type, metric, devices };
  });
}

/** Hops that are down count only when all are. */
function devicesOf(dev: string | undefined, nexthops: readonly v.InferOutput<typeof nexthopSchema>[]) {
  const hops = dev === undefined ? nexthops : [{ dev, flags: [] }];
  const alive = hops.filter(({ flags }) => !flags.includes('dead') && !flags.includes('linkdown'));
  const names = (alive.length > 0 ? alive : hops).flatMap((hop) => hop.dev ?? []);
  return [...new Set(names)];
}

const ruleSchema = v.strictObject({
  priority: v.number(),
  src: v.string(),
  srclen: v.optional(v.number()),
  table: v.string(),
  protocol: v.optional(v.string()),
});

/** `ip -j rule show`. @throws {UnavailableError} `malformed` */
export function parseRules(json: string, family: Family): readonly PolicyRule[] {
  const rules = parseList(json, v.unknown(), 'ip -j rule show').flatMap((rule) => {
    const parsed = v.safeParse(ruleSchema, rule);
    return parsed.success ? parsed.output : [];
  });
  const bits = family === 4 ? 32 : 128;
  return rules
    .map(({ priority, table, src, srclen }) => ({
      family,
      priority,
      table,
      from: src === 'all' ? null : `${src}/${srclen ?? bits}`,
    }))
    .sort((a, b) => a.priority - b.priority);
}

const reachedSchema = v.object({ dev: v.string(), prefsrc: v.optional(v.string()) });

/** Where the kernel would send a packet. */
export interface Reached {
  readonly device: string;
  /** The address it would send from; absence: it names none. */
  readonly src?: string;
}

/** `ip -j route get ADDRESS`; `null`: no way there. @throws {UnavailableError} `malformed` */
export function parseReached(json: string): Reached | null {
  const [first] = parseList(json, reachedSchema, 'ip -j route get');
  if (first === undefined) return null;
  return { device: first.dev, ...(first.prefsrc !== undefined && { src: first.prefsrc }) };
}

/** Nothing printed is an empty list. */
function parseList<T extends v.GenericSchema>(json: string, item: T, source: string): readonly v.InferOutput<T>[] {
  if (json.trim() === '') return [];
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(item)), json);
  if (parsed.success) return parsed.output;
  throw new UnavailableError('malformed', `output of "${source}" is not as expected: ${parsed.issues[0].message}`);
}
