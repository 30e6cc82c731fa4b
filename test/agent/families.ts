import type { LabNode } from './lab.ts';

export type Family = 4 | 6;

export const DEVICE = { 4: 'flannel.1', 6: 'flannel-v6.1' } as const;

/** Values of subnet.env, by their names. */
export async function subnetEnvOf({ namespace, subnetFile }: LabNode): Promise<Readonly<Record<string, string>>> {
  const text = await namespace.host.readFile(subnetFile);
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2)),
  );
}

/** The subnet of a family as a network: subnet.env has its first address. */
export async function subnetIn(node: LabNode, family: Family): Promise<string> {
  const gateway = (await subnetEnvOf(node))[family === 4 ? 'FLANNEL_SUBNET' : 'FLANNEL_IPV6_SUBNET'] ?? '';
  const [address = '', length = ''] = gateway.split('/');
  if (length === '') throw new Error(`no subnet of IPv${family} in ${node.subnetFile}`);
  return `${address.replace(/1$/, family === 4 ? '0' : '')}/${length}`;
}

/** The address that answers an echo over the overlay. */
export async function overlayIp(node: LabNode, family: Family): Promise<string> {
  return (await subnetIn(node, family)).replace(/\/\d+$/, '');
}

/** Both devices with addresses, neighbours, forwarding entries and routes of one node, in words that do not change by themselves. */
export async function overlayOfBoth({ namespace }: LabNode): Promise<readonly string[]> {
  const commands = [4, 6].flatMap((family) => {
    const device = DEVICE[family as Family];
    return [
      `ip -d -o link show ${device}`,
      `ip -o -${family} addr show dev ${device} scope global`,
      `ip -${family} route show dev ${device} proto boot`,
      `ip -${family} neigh show dev ${device} nud permanent`,
      `bridge fdb show dev ${device}`,
    ];
  });
  const { stdout } = await namespace.host.exec(['sh', '-c', commands.join(';')]);
  return stdout
    .split('\n')
    .map((line) =>
      line
        .replace(/^\d+: /, '')
        .replace(/ (qdisc|state|qlen|group|numtxqueues|numrxqueues) \S+/g, '')
        .trim(),
    )
    .filter((line) => line !== '' && !/^(33:33|01:00|fe80)/.test(line))
    .sort();
}
