import type { Family } from '../net/cidr.ts';
import type { NetworkConfig, VxlanConfig } from '../store/config.ts';

/** The kernel's own default, and so flannel's when Port is 0; `vxlan.udp_port` of the module is not looked at. */
export const DEFAULT_PORT = 8472;

/** Metric of a route for which none is given: the kernel's IP6_RT_PRIO_USER for IPv6. */
export const DEFAULT_METRIC = { 4: 0, 6: 1024 } as const;

/** Bytes vxlan adds: outer IP 20 or 40, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348 §5). */
const OVERHEAD_BYTES = { 4: 50, 6: 70 } as const;

const FLANNEL_DEVICE = /^flannel(-v6)?\.(\d{1,8})$/;

/** One address family of the overlay: a device of its own on an underlay of the same family. */
export interface OverlayFamily {
  readonly family: Family;
  readonly device: string;
  /** CIDR notation. */
  readonly network: string;
}

/** The families that the configuration turns on, IPv4 first (flannel pkg/backend/vxlan). */
export function overlayFamilies(config: NetworkConfig, vni: number): readonly OverlayFamily[] {
  const families: OverlayFamily[] = [];
  if (config.enableIPv4 && config.network !== null)
    families.push({ family: 4, device: deviceName(4, vni), network: config.network });
  if (config.enableIPv6 && config.ipv6Network !== null)
    families.push({ family: 6, device: deviceName(6, vni), network: config.ipv6Network });
  return families;
}

/** `flannel.1`, `flannel-v6.1`. */
export function deviceName(family: Family, vni: number): string {
  return family === 4 ? `flannel.${vni}` : `flannel-v6.${vni}`;
}

/** Whether flannel would give a vxlan device this name. */
export function isFlannelDevice(name: string): boolean {
  return FLANNEL_DEVICE.test(name);
}

/**
 * MTU the device ends up with. flannel asks for 50 bytes less than the outer MTU in both families; the kernel cuts that down to what
 * the underlay carries, 70 bytes less over IPv6 (measured on Linux 6.18: 1450 asked on 1500 gives 1430, without an error).
 */
export function linkMtu(family: Family, vxlan: VxlanConfig, underlayMtuBytes: number): number {
  const asked = (vxlan.outerMtuBytes ?? underlayMtuBytes) - OVERHEAD_BYTES[4];
  return Math.min(asked, underlayMtuBytes - OVERHEAD_BYTES[family]);
}
