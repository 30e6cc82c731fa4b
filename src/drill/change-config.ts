import type { SubnetStore } from '../store/store.ts';

/** Puts another network configuration in the place of the one that is stored. */
export async function changeConfig(store: SubnetStore, text: string): Promise<void> {
  const { modRevision } = await store.readNetworkConfig();
  await store.writeNetworkConfig(text, modRevision);
}
