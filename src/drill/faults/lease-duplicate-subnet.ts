import { formatSubnetKey } from '../../store/subnet-key.ts';
import { type DrillNode, defineFault } from '../fault.ts';

/** An address of nobody (RFC 5737) and a MAC of nobody. */
const THIEF = { publicIp: '203.0.113.77', vtepMac: '02:00:5e:00:53:77' } as const;

export default defineFault({
  name: 'lease-duplicate-subnet',
  check: 'lease-duplicate-subnet',
  title: "the node's lease is taken by another host while it goes on using the subnet",
  also: ['lease-expired', 'peers-unreachable'],
  repair: 'heal',
  pairable: false,
  inject: ({ node, raw }) => raw.put(keyOf(node), recordOf(node, THIEF)),
  heal: ({ node, raw }) => raw.put(keyOf(node), recordOf(node, node)),
});

function keyOf({ subnet }: DrillNode): string {
  return formatSubnetKey({ subnet, ipv6Subnet: null });
}

/** As flannel writes it (flannel pkg/lease LeaseAttrs). */
function recordOf({ device }: DrillNode, { publicIp, vtepMac }: Pick<DrillNode, 'publicIp' | 'vtepMac'>): string {
  const vni = Number(device.slice(device.lastIndexOf('.') + 1));
  return JSON.stringify({
    PublicIP: publicIp,
    PublicIPv6: null,
    BackendType: 'vxlan',
    BackendData: { VNI: vni, VtepMAC: vtepMac },
  });
}
