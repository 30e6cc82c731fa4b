import type { Clock } from './host/clock.ts';
import type { Host, HostWriter } from './host/host.ts';
import type { KubeApi } from './kube/kube.ts';
import type { StoreSecrets, StoreSelection, SubnetStore } from './store/store.ts';

export interface WorldOptions {
  /** `--root`: where the host's files are seen; `/` outside a container. */
  readonly root: string;
}

export interface StoreOptions {
  readonly secrets: StoreSecrets;
  /** Deadline of one call. */
  readonly timeoutMs: number;
}

/** The adapters of one run. The only place that picks them; each is loaded when it is first used. */
export interface World {
  readonly host: Host;
  readonly clock: Clock;
  /** Ask for it only where something is going to be written. */
  writer(): Promise<HostWriter>;
  openStore(selection: StoreSelection, options: StoreOptions): Promise<SubnetStore>;
  openKube(selection: Extract<StoreSelection, { kind: 'kube' }>, options: StoreOptions): Promise<KubeApi>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { liveHost, liveWriter } = await import('./host/live.ts');
  const { systemClock } = await import('./host/system-clock.ts');
  const host = liveHost({ root: options.root });
  const writer = async () => liveWriter({ root: options.root });
  const openKube: World['openKube'] = async (selection, { timeoutMs }) => {
    const { openKubeApi } = await import('./kube/client.ts');
    return openKubeApi({ selection, host, timeoutMs });
  };
  return {
    host,
    clock: systemClock,
    writer,
    openKube,
    openStore: (selection, store) => openStore(selection, { ...store, host, writer, openKube }),
  };
}

interface StoreParts extends StoreOptions {
  readonly host: Host;
  readonly writer: World['writer'];
  readonly openKube: World['openKube'];
}

async function openStore(selection: StoreSelection, parts: StoreParts): Promise<SubnetStore> {
  switch (selection.kind) {
    case 'etcd': {
      const { openEtcdStore } = await import('./store/etcd.ts');
      return openEtcdStore({ selection, host: parts.host, secrets: parts.secrets, timeoutMs: parts.timeoutMs });
    }
    case 'kube': {
      const { kubeStore } = await import('./store/kube.ts');
      return kubeStore({ selection, host: parts.host, kube: await parts.openKube(selection, parts) });
    }
    case 'file': {
      const { fileStore } = await import('./store/file.ts');
      return fileStore({ selection, host: parts.host, writer: await parts.writer() });
    }
  }
}
