import type { DrillNode, Fault } from './fault.ts';
import { align } from './matrix-text.ts';
import type { ClusterRecord, StoreKind } from './record.ts';

/** A drill that is up: the document of `drill up`. Version 1 only grows. */
export interface ClusterDescription {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'DrillCluster';
  readonly tag: string;
  readonly store: StoreKind;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly nodes: readonly {
    readonly index: number;
    readonly name: string;
    readonly publicIP: string;
    readonly subnet: string;
    readonly vtepMAC: string;
  }[];
}

/** The document of `drill list`. */
export interface DrillList {
  readonly apiVersion: 'flannelctl.dev/v1';
  readonly kind: 'DrillList';
  readonly faults: readonly Pick<Fault, 'name' | 'check' | 'title' | 'repair'>[];
  readonly clusters: readonly ClusterDescription[];
}

export function describeCluster(record: ClusterRecord, nodes: readonly DrillNode[]): ClusterDescription {
  return {
    apiVersion: 'flannelctl.dev/v1',
    kind: 'DrillCluster',
    tag: record.tag,
    store: record.store,
    createdAt: new Date(record.createdAt).toISOString(),
    nodes: nodes.map(({ index, name, publicIp, subnet, vtepMac }) => {
      return { index, name, publicIP: publicIp, subnet, vtepMAC: vtepMac };
    }),
  };
}

export function describeClusterText({ tag, store, nodes }: ClusterDescription): string {
  const lines = nodes.map(({ index, name, publicIP, subnet }) => [String(index), name, publicIP, subnet]);
  const table = align([['NODE', 'NAME', 'PUBLIC IP', 'SUBNET'], ...lines]);
  const next = `Enter a node: flannelctl drill exec 1 -- bash      Remove it: flannelctl drill down --tag ${tag}`;
  return [`drill ${tag} is up (store ${store})`, '', ...table, '', next].join('\n');
}

export function buildList(faults: readonly Fault[], clusters: readonly ClusterDescription[]): DrillList {
  const shown = faults.map(({ name, check, title, repair }) => ({ name, check, title, repair }));
  return { apiVersion: 'flannelctl.dev/v1', kind: 'DrillList', faults: shown, clusters };
}

export function renderList({ faults, clusters }: DrillList): string {
  const rows = faults.map(({ name, check, repair, title }) => [name, check, repair, title]);
  const table = align([['FAULT', 'CHECK', 'REPAIR', 'WHAT IS DONE'], ...rows]);
  const up = clusters.map(({ tag, store, nodes, createdAt }) => {
    return `drill ${tag}: ${nodes.length} nodes, store ${store}, up since ${createdAt}`;
  });
  return [...table, '', ...(up.length === 0 ? ['no drill is up'] : up)].join('\n');
}
