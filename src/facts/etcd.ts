import { AbsentError, UnavailableError } from '../errors.ts';
import type { EndpointLook, EtcdHealth } from '../store/health.ts';
import type { EtcdSelection, StoreSelection } from '../store/store.ts';

import { type CollectContext, defineFact } from './fact.ts';
import { flannelStartFact } from './flannel.ts';

export type { EndpointLook, EndpointOutcome, TlsProblem } from '../store/health.ts';
export type { EtcdSelection } from '../store/store.ts';

/** Which datastore flannel uses here. @throws {UnavailableError} `unsupported` when that is not known. */
export async function chosenDatastore(context: CollectContext): Promise<StoreSelection> {
  const { datastore } = await context.get(flannelStartFact);
  if (datastore !== null) return datastore;
  throw new UnavailableError('unsupported', 'not known which datastore flannel uses here', {
    hint: 'Name it with --etcd-endpoints or --kube-subnet-mgr.',
  });
}

/** The etcd that flannel uses; absent with another datastore. */
export const etcdSelectionFact = defineFact<EtcdSelection>({
  name: 'etcd-selection',
  cost: 'passive',
  timeoutMs: 8000,
  absence: { normal: 'another datastore than etcd' },
  collect: async (context) => {
    const selection = await chosenDatastore(context);
    if (selection.kind === 'etcd') return selection;
    throw new AbsentError(`the datastore is ${selection.kind === 'kube' ? 'the Kubernetes API' : 'a file'}, not etcd`);
  },
});

/** Where flannel itself allocates leases, and not Kubernetes: in etcd, and in the file that stands in for it. */
export const ownAllocationFact = defineFact<{ readonly kind: 'etcd' | 'file'; readonly prefix: string | null }>({
  name: 'own-allocation',
  cost: 'passive',
  timeoutMs: 8000,
  absence: { normal: 'the subnets are given by Kubernetes' },
  collect: async (context) => {
    const selection = await chosenDatastore(context);
    if (selection.kind === 'kube')
      throw new AbsentError('the datastore is the Kubernetes API, which gives the subnets');
    return { kind: selection.kind, prefix: selection.kind === 'etcd' ? selection.prefix : null };
  },
});

/** What each endpoint of etcd does; known whatever that is. */
export const etcdEndpointsFact = defineFact<readonly EndpointLook[]>({
  name: 'etcd-endpoints',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another datastore than etcd' },
  collect: async (context) => (await openHealth(context)).endpoints(),
});

/** @throws {AbsentError} when the datastore is not etcd. */
export async function openHealth(context: CollectContext): Promise<EtcdHealth> {
  return context.openEtcdHealth(await context.get(etcdSelectionFact));
}

/** Some endpoint serves flannel; whatever the others do is no failure. */
export function isServed(looks: readonly EndpointLook[]): boolean {
  return looks.some(({ outcome }) => outcome.kind === 'answers');
}

/** What every endpoint did instead of answering, as one error for what depends on an answer. */
export function noAnswer(looks: readonly EndpointLook[]): UnavailableError {
  const said = looks.map(({ endpoint, outcome }) =>
    outcome.kind === 'answers' ? `etcd ${endpoint} answers` : `etcd ${endpoint} ${outcome.words}`,
  );
  return new UnavailableError('unreachable', said.join('; '), { hint: 'Check --etcd-endpoints.' });
}
