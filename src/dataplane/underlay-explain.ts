import { chooseUnderlay, type UnderlayInput } from './underlay.ts';
import { addressesOf, type UnderlayInterface } from './underlay-address.ts';

/** Why this interface, what else was considered and why it was not taken: a line each, for `up --dry-run -v`. */
export function explainUnderlay(input: UnderlayInput): readonly string[] {
  const choice = chooseUnderlay(input);
  if (choice.status === 'none') return [`no interface: ${choice.reason}`, ...passedOver(input), ...others(input, null)];
  const { device, ipv4, ipv6, publicIp, publicIpv6, mtuBytes, because } = choice.underlay;
  const own = [ipv4, ipv6].filter((ip) => ip !== null).join(' and ');
  const advertised = [publicIp, publicIpv6].filter((ip) => ip !== null).join(' and ');
  return [
    `interface ${device}, address ${own}, mtu ${mtuBytes}: ${because}`,
    own === advertised ? `advertised: ${advertised}` : `advertised: ${advertised}, as --public-ip says`,
    ...choice.missed.map((miss) => `tried first: ${miss}`),
    ...passedOver(input),
    ...others(input, device),
  ];
}

/** Default routes that lead nowhere matter only where the default route decides. */
function passedOver({ options, policy }: UnderlayInput): readonly string[] {
  const { iface, ifaceRegex, ifaceCanReach, publicIp } = options;
  if (iface.length > 0 || ifaceRegex.length > 0 || ifaceCanReach !== '' || publicIp !== '') return [];
  return (policy?.defaults ?? []).flatMap(({ type, table, metric, devices, family }) => {
    const route = `IPv${family} default route of table ${table}, metric ${metric}`;
    if (type !== 'unicast') return [`passed over: ${route}: ${type}`];
    return devices.length > 1 ? [`${route}: several ways, ${devices.join(', ')}`] : [];
  });
}

function others({ interfaces }: UnderlayInput, chosen: string | null): readonly string[] {
  return interfaces
    .filter(({ name }) => name !== chosen && name !== 'lo')
    .map((face) => `not taken: ${described(face)}`);
}

function described(face: UnderlayInterface): string {
  const addresses = [...addressesOf(face, 4), ...addressesOf(face, 6)];
  return `${face.name} (${addresses.length === 0 ? 'no address' : addresses.join(', ')})`;
}
