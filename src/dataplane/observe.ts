import { UnavailableError, type UnknownReason } from '../errors.ts';
import type { Argv, Host } from '../host/host.ts';
import type { ActualOverlay, RouteEntry } from './entry.ts';
import { parseFdb, parseLinks, parseNeighbours, parseRoutes } from './parse.ts';

export const LINKS_COMMAND = ['ip', '-j', '-d', '-s', 'addr'] as const;
const NEIGHBOURS_COMMAND: Argv = ['ip', '-j', 'neigh', 'show'];
const FDB_COMMAND: Argv = ['bridge', '-j', 'fdb', 'show'];
const ROUTES_COMMAND: Argv = ['ip', '-j', '-d', 'route', 'show', 'table', 'main'];
const ROUTES_V6_COMMAND: Argv = ['ip', '-j', '-d', '-6', 'route', 'show', 'table', 'main'];

/** The part of it that one process tells. */
export type ActualDevices = Pick<ActualOverlay, 'links' | 'strangers' | 'addresses'>;

/** What has been read already and need not be read twice. */
export interface KnownListings {
  /** Output of {@link LINKS_COMMAND}. */
  readonly links?: string | Promise<string>;
  readonly routes?: readonly RouteEntry[];
}

/**
 * What the kernel holds on every device with a flannel name, and the whole main table: five processes at once, whatever the number of
 * peers. Whole tables are read, because naming a device that is not there is an error.
 *
 * @throws {UnavailableError} when something could not be read; a missing device is not an error.
 */
export async function observeOverlay(host: Host, known: KnownListings = {}): Promise<ActualOverlay> {
  const [links, neighbours, fdb, routes] = await Promise.all([
    known.links ?? readKernel(host, LINKS_COMMAND),
    readKernel(host, NEIGHBOURS_COMMAND),
    readKernel(host, FDB_COMMAND),
    known.routes ?? observeRoutes(host),
  ]);
  return { ...parseLinks(links), neighbours: parseNeighbours(neighbours), fdb: parseFdb(fdb), routes };
}

/** The devices with flannel names and their addresses. @throws as {@link observeOverlay}. */
export async function observeDevices(host: Host): Promise<ActualDevices> {
  return parseLinks(await readKernel(host, LINKS_COMMAND));
}

/** The main table, IPv4 and then IPv6, in the kernel's order. @throws {UnavailableError} when it could not be read. */
export async function observeRoutes(host: Host): Promise<readonly RouteEntry[]> {
  const [ipv4, ipv6] = await Promise.all([readKernel(host, ROUTES_COMMAND), readKernel(host, ROUTES_V6_COMMAND)]);
  return [...parseRoutes(ipv4, 4), ...parseRoutes(ipv6, 6)];
}

/** Standard output of an `ip` or `bridge` listing. @throws {UnavailableError} when it ended with an error. */
export async function readKernel(host: Host, argv: Argv): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(argv);
  if (exitCode === 0) return stdout;
  // A table that holds nothing yet does not exist (iproute2, rc 2); a kernel without IPv6 has none at all.
  if (/FIB table does not exist|Address family not supported/.test(stderr)) return '';
  throw new UnavailableError(reasonOf(stderr), `"${argv.join(' ')}" failed: ${lastLine(stderr) || `exit ${exitCode}`}`);
}

function reasonOf(stderr: string): UnknownReason {
  if (/Operation not permitted|Permission denied/.test(stderr)) return 'permission';
  // The ip of busybox knows no JSON: "invalid option -- j".
  return /not supported|unknown|invalid option|Usage:|does not exist/i.test(stderr) ? 'unsupported' : 'unreachable';
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
