import type { DrillTools } from './drill/tools.ts';
import type { StoreSelection } from './store/store.ts';
import { openRaw, openWorld, type StoreOptions } from './wire.ts';

const STORE: StoreOptions = { secrets: {}, timeoutMs: 10_000 };

/** What the drill works with: this machine, and datastores also past all our own rules. */
export async function openDrillTools(signal: AbortSignal): Promise<DrillTools> {
  const world = await openWorld({ root: '/' });
  const { host, clock } = world;
  return {
    host,
    clock,
    signal,
    writer: await world.writer(),
    openStore: (selection: StoreSelection) => world.openStore(selection, STORE),
    openRaw: (selection: StoreSelection) => openRaw(selection, world, STORE),
  };
}
