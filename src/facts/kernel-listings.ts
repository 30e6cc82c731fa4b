import type { RouteEntry } from '../dataplane/entry.ts';
import { LINKS_COMMAND, observeRoutes, readKernel } from '../dataplane/observe.ts';
import { defineFact } from './fact.ts';

/** Links and addresses as iproute2 prints them: one reading for all facts that speak of interfaces. */
export const linkListingFact = defineFact<string>({
  name: 'link-listing',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 5000,
  collect: ({ host }) => readKernel(host, LINKS_COMMAND),
});

/** The main table, IPv4 and then IPv6, in the kernel's order. */
export const routesFact = defineFact<readonly RouteEntry[]>({
  name: 'routes',
  absence: 'never',
  cost: 'passive',
  timeoutMs: 5000,
  collect: ({ host }) => observeRoutes(host),
});
