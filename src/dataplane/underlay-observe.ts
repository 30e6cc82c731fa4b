import { UnavailableError } from '../errors.ts';
import type { Argv, Host } from '../host/host.ts';
import { type Family, familyOf } from '../net/cidr.ts';
import { readKernel } from './observe.ts';
import { chooseUnderlay, type UnderlayInput } from './underlay.ts';
import { type PolicyRouting, parseReached, parseRules, parseTableDefaults, type Reached } from './underlay-routes.ts';

/**
 * What the interface is chosen from, with what only the kernel can tell: the way to `--iface-can-reach`, which flannel asks it for too, and,
 * where flannel would find no interface, the default routes of all tables and the rules that lead to them.
 *
 * @throws {UnavailableError} when something could not be read.
 */
export async function considerUnderlay(
  host: Host,
  known: Omit<UnderlayInput, 'policy' | 'reached'>,
): Promise<UnderlayInput> {
  const { ifaceCanReach } = known.options;
  const input = ifaceCanReach === '' ? known : { ...known, reached: await readWay(host, ifaceCanReach) };
  if (chooseUnderlay(input).status === 'chosen') return input;
  const [ipv4, ipv6] = await Promise.all([readPolicy(host, 4), readPolicy(host, 6)]);
  const policy = { defaults: [...ipv4.defaults, ...ipv6.defaults], rules: [...ipv4.rules, ...ipv6.rules] };
  return { ...input, policy };
}

async function readPolicy(host: Host, family: Family): Promise<PolicyRouting> {
  const ip = (...args: readonly string[]): Argv => ['ip', '-j', '-d', `-${family}`, ...args];
  const [defaults, rules] = await Promise.all([
    readKernel(host, ip('route', 'show', 'table', 'all', 'default')),
    readRules(host, ['ip', '-j', `-${family}`, 'rule', 'show']),
  ]);
  return { defaults: parseTableDefaults(defaults, family), rules: parseRules(rules, family) };
}

/** A kernel without policy routing has no rules, only the main table. */
async function readRules(host: Host, argv: Argv): Promise<string> {
  try {
    return await readKernel(host, argv);
  } catch (error) {
    if (error instanceof UnavailableError && error.reason === 'unsupported') return '';
    throw error;
  }
}

/** Any error of the kernel's is "no way there": unreachable, prohibited, blackhole. */
async function readWay(host: Host, target: string): Promise<Reached | null> {
  if (familyOf(target) === undefined) return null;
  const { exitCode, stdout } = await host.exec(['ip', '-j', 'route', 'get', target]);
  return exitCode === 0 ? parseReached(stdout) : null;
}
