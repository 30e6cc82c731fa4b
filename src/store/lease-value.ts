import * as v from 'valibot';
import { canonicalIp, familyOf } from '../net/cidr.ts';
import { canonicalMac } from '../net/mac.ts';
import { type GoMembers, parseJson, readGoObject } from './go-json.ts';
import type { LeaseAttributes, Vtep } from './store.ts';

export type DecodedValue = { readonly attributes: LeaseAttributes } | { readonly problem: string };

/** The names of flannel's pkg/lease.LeaseAttrs; all others are somebody else's and are kept. */
const KNOWN_NAMES: ReadonlySet<string> = new Set([
  'publicip',
  'publicipv6',
  'backendtype',
  'backenddata',
  'backendv6data',
]);

const VXLAN_DATA = v.object({
  vni: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffff)),
  vtepmac: v.string(),
});

/** A lease value as Go decodes it: names without case, unknown ones ignored, a wrong type refused. */
export function decodeLeaseValue(text: string): DecodedValue {
  return decodeUsual(text) ?? decodeAny(text);
}

/** What flannel itself writes for vxlan in IPv4, byte for byte: most leases there are, in a tenth of the time. */
const USUAL =
  /^\{"PublicIP":"([\d.]{7,15})","PublicIPv6":null,"BackendType":"vxlan","BackendData":\{"VNI":(0|[1-9]\d{0,7}),"VtepMAC":"([\da-f:]{17})"\}\}$/;

function decodeUsual(text: string): DecodedValue | undefined {
  const [, ip = '', vni = '', mac = ''] = USUAL.exec(text) ?? [];
  const isValid = familyOf(ip) === 4 && ip !== '0.0.0.0' && Number(vni) <= 0xffffff && canonicalMac(mac) === mac;
  if (!isValid) return undefined;
  return {
    attributes: {
      publicIp: ip,
      publicIpv6: null,
      backendType: 'vxlan',
      vtep: { vni: Number(vni), mac },
      vtepV6: null,
      backendData: { VNI: Number(vni), VtepMAC: mac },
      backendV6Data: null,
    },
  };
}

function decodeAny(text: string): DecodedValue {
  const object = readGoObject(text);
  if ('problem' in object) return object;
  const { members } = object;
  const publicIp = readIp(members, 'publicip', 4);
  const publicIpv6 = readIp(members, 'publicipv6', 6);
  const backendType = readString(members, 'backendtype');
  for (const field of [publicIp, publicIpv6, backendType]) if ('problem' in field) return field;
  if (!('value' in publicIp && 'value' in publicIpv6 && 'value' in backendType))
    return { problem: 'it does not parse' };
  const type = (backendType.value ?? '').toLowerCase();
  return {
    attributes: {
      publicIp: publicIp.value,
      publicIpv6: publicIpv6.value,
      backendType: type,
      vtep: type === 'vxlan' ? decodeVtep(members.get('backenddata')) : null,
      vtepV6: type === 'vxlan' ? decodeVtep(members.get('backendv6data')) : null,
      backendData: plainValue(members.get('backenddata')),
      backendV6Data: plainValue(members.get('backendv6data')),
    },
  };
}

/**
 * The value as flannel writes it: exact casing, `PublicIPv6` always there, empty fields left out.
 * `previous` is the value this one replaces: members that flannel does not know are carried over.
 */
export function encodeLeaseValue(attributes: LeaseAttributes, previous?: string): string {
  const data = backendDataOf(attributes.vtep, attributes.backendData);
  const v6Data = backendDataOf(attributes.vtepV6, attributes.backendV6Data);
  return JSON.stringify({
    PublicIP: attributes.publicIp ?? '0.0.0.0',
    PublicIPv6: attributes.publicIpv6,
    ...(attributes.backendType === '' ? {} : { BackendType: attributes.backendType }),
    ...(isEmpty(data) ? {} : { BackendData: data }),
    ...(isEmpty(v6Data) ? {} : { BackendV6Data: v6Data }),
    ...unknownMembers(previous),
  });
}

/** VNI and MAC of vxlan's backend data; `null` when it holds none that parse. */
export function decodeVtep(text: string | undefined): Vtep | null {
  const object = text === undefined ? undefined : readGoObject(text);
  if (object === undefined || 'problem' in object) return null;
  const plain = Object.fromEntries([...object.members].map(([name, raw]) => [name, plainValue(raw)]));
  const data = v.safeParse(VXLAN_DATA, plain);
  const mac = data.success ? canonicalMac(data.output.vtepmac) : undefined;
  return data.success && mac !== undefined ? { vni: data.output.vni, mac } : null;
}

/** JSON as flannel publishes a VTEP; what was published stays as it is when it says the same. */
export function backendDataOf(vtep: Vtep | null, published: unknown): unknown {
  if (vtep === null) return published;
  const same = decodeVtep(JSON.stringify(published ?? null));
  return same?.mac === vtep.mac && same.vni === vtep.vni ? published : { VNI: vtep.vni, VtepMAC: vtep.mac };
}

type Field = { readonly value: string | null } | { readonly problem: string };

function readIp(members: GoMembers, name: string, family: 4 | 6): Field {
  const raw = members.get(name);
  if (raw === undefined || (raw === 'null' && family === 6)) return { value: null };
  const value = plainValue(raw);
  const ip = typeof value === 'string' && familyOf(value) === family ? canonicalIp(value) : undefined;
  const label = family === 4 ? 'PublicIP' : 'PublicIPv6';
  if (ip === undefined) return { problem: `${label} is no IPv${family} address` };
  return { value: ip === '0.0.0.0' || ip === '::' ? null : ip };
}

function readString(members: GoMembers, name: string): Field {
  const value = plainValue(members.get(name));
  if (value === null) return { value: null };
  return typeof value === 'string' ? { value } : { problem: 'BackendType is no string' };
}

function plainValue(raw: string | undefined): unknown {
  const parsed = raw === undefined ? { value: null } : parseJson(raw);
  return 'value' in parsed ? parsed.value : null;
}

function isEmpty(data: unknown): boolean {
  return data === null || data === undefined;
}

function unknownMembers(previous: string | undefined): Record<string, unknown> {
  const parsed = previous === undefined ? { value: null } : parseJson(previous);
  const value = 'value' in parsed ? parsed.value : null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => !KNOWN_NAMES.has(name.toLowerCase())));
}
