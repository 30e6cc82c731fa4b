import type { Preparation } from '../dataplane/program.ts';
import type { LeaseAttributes, Vtep } from '../store/store.ts';
import type { OwnLease } from './lease-care.ts';

/**
 * What this node should publish: its addresses as they are now, and the VTEP MAC that the lease has had all along. A device that lost
 * its MAC is given it back; peers need not learn another.
 */
export function wantedAttributes(own: OwnLease, { request }: Pick<Preparation, 'request'>): LeaseAttributes {
  const now = request.attributes;
  const lease = own.status === 'none' ? null : own.lease;
  if (lease === null) return now;
  const vtep = keptMac(now.vtep, lease.attributes.vtep);
  const vtepV6 = keptMac(now.vtepV6, lease.attributes.vtepV6);
  return { ...now, vtep, vtepV6, backendData: dataOf(vtep), backendV6Data: dataOf(vtepV6) };
}

function keptMac(now: Vtep | null, published: Vtep | null): Vtep | null {
  return now === null || published === null ? now : { vni: now.vni, mac: published.mac };
}

function dataOf(vtep: Vtep | null) {
  return vtep === null ? null : { VNI: vtep.vni, VtepMAC: vtep.mac };
}
