import type { KnownScene } from './lease-scene.ts';
import type { LeaseSession } from './lease-session.ts';
import type { LeasePlace } from './render/lease-document.ts';
import { leaseWords } from './render/lease-words.ts';
import type { LeaseListing } from './store/store.ts';

/** Where the leases of a session are. */
export function placeOf({ selection }: LeaseSession, listing: Omit<LeaseListing, 'records'>): LeasePlace {
  const { source, clusterId, revision } = listing;
  return { source, clusterId, revision, prefix: prefixOf(selection) };
}

/** As a backup names it. */
export function prefixOf(selection: LeaseSession['selection']): string | null {
  switch (selection.kind) {
    case 'etcd':
      return selection.prefix;
    case 'file':
      return selection.path;
    case 'kube':
      return null;
  }
}

/** What could not be found out, and what that means for the states; one line each. */
export function problemsOf(scene: KnownScene, language: 'en' | 'zh'): readonly string[] {
  const words = leaseWords(language);
  return [
    ...(scene.selfProblem === null ? [] : [words.selfUnknown(scene.selfProblem)]),
    ...(scene.configProblem === null ? [] : [words.configUnknown(scene.configProblem)]),
    ...(scene.nodesProblem === null ? [] : [words.nodesUnknown(scene.nodesProblem)]),
  ];
}
