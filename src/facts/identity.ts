import type { HostIdentity } from '../host/host.ts';
import { defineFact } from './fact.ts';

/** Name, kernel and distribution of this host, and who asks. */
export const identityFact = defineFact<HostIdentity>({
  name: 'identity',
  cost: 'passive',
  timeoutMs: 2000,
  collect: ({ host }) => host.identity(),
});
