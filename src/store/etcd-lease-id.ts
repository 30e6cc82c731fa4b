/** An etcd lease as etcdctl prints it, sixteen hexadecimal digits, from etcd's signed decimal; `null` for `0`, which is none. */
export function leaseText(id: string): string | null {
  return id === '0' ? null : BigInt.asUintN(64, BigInt(id)).toString(16).padStart(16, '0');
}

/** Back again. */
export function leaseId(text: string): string {
  return BigInt.asIntN(64, BigInt(`0x${text}`)).toString();
}
