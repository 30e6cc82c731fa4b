import type { BackendConfig } from '../store/config.ts';
import type { Lease } from '../store/store.ts';
import { escapeText } from '../store/untrusted-text.ts';

/** `udp` and `alloc` publish no BackendType (flannel pkg/backend). */
const UNPUBLISHED = 'udp or alloc';

/** The name by which a configured backend and a published one are compared. */
export function backendNameOf(backend: BackendConfig): string {
  const name = backend.type === 'vxlan' ? 'vxlan' : backend.name.toLowerCase();
  return name === 'udp' || name === 'alloc' ? UNPUBLISHED : name;
}

/** What a lease publishes, by the same names: case does not matter to flannel. */
export function publishedBackend({ attributes }: Lease): string {
  const name = escapeText(attributes.backendType.toLowerCase(), 60);
  return name === '' || name === 'udp' || name === 'alloc' ? UNPUBLISHED : name;
}
