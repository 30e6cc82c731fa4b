import { readKernel } from '../dataplane/observe.ts';
import { AbsentError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { containsIp, familyOf, parseCidr } from '../net/cidr.ts';

/** Where host-local of the CNI plugins keeps an address a file (containernetworking plugins, ipam/host-local). */
const IPAM = '/var/lib/cni/networks';

/**
 * What of these subnets pods of this node use: addresses that are given out, and ports on cni0. Empty: nothing.
 *
 * @throws {UnavailableError} when it could not be looked at: then nobody may say that no pod is there.
 */
export async function podsOf(host: Host, subnets: readonly string[]): Promise<readonly string[]> {
  const networks = subnets.map(parseCidr).filter((cidr) => cidr !== undefined);
  const names = await entriesOf(host, IPAM);
  const files = (await Promise.all(names.map((name) => entriesOf(host, `${IPAM}/${name}`)))).flat();
  const addresses = files.filter(
    (name) => familyOf(name) !== undefined && networks.some((one) => containsIp(one, name)),
  );
  return [...addresses, ...(await portsOf(host))];
}

async function portsOf(host: Host): Promise<readonly string[]> {
  const lines = (await readKernel(host, ['ip', '-o', 'link', 'show'])).split('\n');
  return lines.filter((line) => / master cni0 /.test(line)).map((line) => `port ${line.split(':')[1]?.trim()} of cni0`);
}

async function entriesOf(host: Host, path: string): Promise<readonly string[]> {
  try {
    return await host.readDir(path);
  } catch (error) {
    if (error instanceof AbsentError) return [];
    throw error;
  }
}
