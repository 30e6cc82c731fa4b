import type { GivenOptions, SecretBox } from './facts/fact.ts';
import type { FactEnvironment } from './facts/fact-store.ts';
import type { KubeApi } from './kube/kube.ts';
import type { EtcdHealth } from './store/health.ts';
import type { StoreSecrets, StoreSelection, SubnetStore } from './store/store.ts';
import type { World } from './wire.ts';

export interface EnvironmentOptions {
  readonly world: World;
  readonly given: GivenOptions;
  /** Passwords from flags; discovery adds what it finds. */
  readonly secrets: StoreSecrets;
  readonly signal: AbortSignal;
  readonly mayProbe: boolean;
  readonly passiveTimeoutMs: number;
}

/** What facts are collected with, and the way to close what was opened for them. */
export interface ClosableEnvironment {
  readonly environment: FactEnvironment;
  close(): Promise<void>;
}

export function openEnvironment(options: EnvironmentOptions): ClosableEnvironment {
  const { world, given, signal, mayProbe, passiveTimeoutMs } = options;
  const secrets = secretBox(options.secrets);
  const stores = new Map<string, Promise<SubnetStore>>();
  const kubes = new Map<string, Promise<KubeApi>>();
  const healths = new Map<string, Promise<EtcdHealth>>();
  const storeOptions = () => ({ secrets: secrets.secrets(), timeoutMs: given.storeTimeoutMs });
  const environment: FactEnvironment = {
    host: world.host,
    clock: world.clock,
    startedAt: world.clock.now(),
    signal,
    given,
    secrets,
    mayProbe,
    passiveTimeoutMs,
    openStore: (selection) => openOnce(stores, selection, () => world.openStore(selection, storeOptions())),
    openKube: (selection) => openOnce(kubes, selection, () => world.openKube(selection, storeOptions())),
    openEtcdHealth: (selection) => openOnce(healths, selection, () => world.openEtcdHealth(selection, storeOptions())),
  };
  return { environment, close: () => closeAll([...stores.values(), ...kubes.values(), ...healths.values()]) };
}

function openOnce<T>(opened: Map<string, Promise<T>>, selection: StoreSelection, open: () => Promise<T>): Promise<T> {
  const key = JSON.stringify(selection);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const opening = open();
  opened.set(key, opening);
  return opening;
}

/** What failed to open has nothing to close, and its error was told where it was needed. */
async function closeAll(opened: readonly Promise<{ close(): Promise<void> }>[]): Promise<void> {
  for (const result of await Promise.allSettled(opened)) {
    if (result.status === 'fulfilled') await result.value.close();
  }
}

function secretBox(given: StoreSecrets): SecretBox {
  let found: StoreSecrets = {};
  return {
    put: (secrets) => {
      found = { ...found, ...secrets };
    },
    secrets: () => ({ ...found, ...given }),
  };
}
