import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { escapeText } from '../store/untrusted-text.ts';
import type { CollectContext } from './fact.ts';
import { interfacesFact } from './interfaces.ts';
import { ifThere, readDirIfThere, readFileIfThere } from './read-if-there.ts';

export interface Traces {
  /** `flannel.1`, `/run/flannel/subnet.env`, `/etc/cni/net.d/10-flannel.conflist`. */
  readonly found: readonly string[];
  /** What kept us from looking somewhere; without any finding nobody can say that flannel was never here. */
  readonly obstacle: FlannelctlError | undefined;
}

const CNI_DIRECTORIES = ['/etc/cni/net.d', '/var/lib/rancher/k3s/agent/etc/cni/net.d'];
/** Devices of all backends (vxlan, wireguard, ipip, udp). */
const FLANNEL_DEVICE = /^flannel(-v6)?\.\d+$|^flannel-wg(-v6)?$|^flannel\.ipip$|^flannel\d+$/;

/** What flannel leaves on a host whether or not it runs. */
export async function findTraces(context: CollectContext, subnetFile: string): Promise<Traces> {
  const looks = [findDevices(context), findSubnetFile(context.host, subnetFile), findCniConfigs(context.host)];
  const results = await Promise.allSettled(looks);
  const obstacles = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const bug = obstacles.find((error) => !(error instanceof FlannelctlError));
  if (bug !== undefined) throw bug;
  return {
    found: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    obstacle: obstacles.find((error) => error instanceof FlannelctlError),
  };
}

async function findDevices({ get }: CollectContext): Promise<readonly string[]> {
  return (await get(interfacesFact)).map(({ name }) => name).filter((name) => FLANNEL_DEVICE.test(name));
}

async function findSubnetFile(host: Host, path: string): Promise<readonly string[]> {
  return (await ifThere(host.stat(path))) === undefined ? [] : [path];
}

async function findCniConfigs(host: Host): Promise<readonly string[]> {
  const listings = await Promise.all(
    CNI_DIRECTORIES.map(async (directory) =>
      (await readDirIfThere(host, directory)).map((name) => `${directory}/${name}`),
    ),
  );
  const paths = listings.flat().filter((path) => /\.(conf|conflist|json)$/.test(path));
  const texts = await Promise.all(paths.map((path) => readFileIfThere(host, path)));
  return paths.filter((_, index) => /"type"\s*:\s*"flannel"/.test(texts[index] ?? '')).map((path) => escapeText(path));
}
