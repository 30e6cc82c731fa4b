import type { Lease, LeaseAttributes } from './store.ts';

/** The one lease of this host where the datastore gives it its subnet by itself. */
export interface AssignedLease {
  /** Its key, whether it is published yet or not. */
  ownKey(): Promise<string>;
  /** What `acquire` would publish; nothing is written. @throws what `acquire` throws. */
  preview(attributes: LeaseAttributes): Promise<Lease>;
}

/** How this host's Node is known: by its name, or by a Pod that runs on it. */
export type OwnNode =
  | { readonly name: string }
  | { readonly pod: { readonly namespace: string; readonly name: string } };
