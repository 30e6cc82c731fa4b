import { FlannelctlError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { parseCidr } from '../net/cidr.ts';
import { echo } from '../probe/echo.ts';

const AT_ONCE = 16;

/**
 * Of these subnets those whose node answers over the overlay, on the address that flannel gives its device. Where it cannot be measured
 * a node counts as answering: nobody is let go for want of a tool.
 */
export async function answeringSubnets(host: Host, subnets: readonly string[]): Promise<readonly string[]> {
  const open = [...subnets];
  const answering: string[] = [];
  const work = async () => {
    for (let subnet = open.shift(); subnet !== undefined; subnet = open.shift()) {
      if (await answers(host, subnet)) answering.push(subnet);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answering;
}

async function answers(host: Host, subnet: string): Promise<boolean> {
  const address = parseCidr(subnet)?.network;
  if (address === undefined) return false;
  try {
    const { received, localError } = await echo(host, { address, count: 3, intervalMs: 200, timeoutMs: 1000 });
    return received > 0 || localError !== null;
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    return true;
  }
}
