import { type OnceResult, previewOnce, upOnce } from './agent/once.ts';
import type { FlannelOptions } from './net/flannel-options.ts';
import { selectNodeStore } from './node-selection.ts';
import type { StoreSecrets } from './store/store.ts';

export interface OnceRun {
  readonly root: string;
  readonly options: FlannelOptions;
  readonly secrets: StoreSecrets;
  readonly timeoutMs: number;
  readonly isDry: boolean;
  readonly cniConf: string | undefined;
  /** A dry run beside a flanneld that would be stopped. */
  readonly takeover: boolean;
}

/** `up --once` and `up --dry-run`. */
export async function runOnce({
  root,
  options,
  secrets,
  timeoutMs,
  isDry,
  cniConf,
  takeover,
}: OnceRun): Promise<OnceResult> {
  const { openWorld } = await import('./wire.ts');
  const world = await openWorld({ root });
  const store = await world.openStore(await selectNodeStore(options, world.host), { secrets, timeoutMs });
  const input = { options, host: world.host, store, cniConf };
  try {
    return isDry ? await previewOnce({ ...input, takeover }) : await upOnce({ ...input, writer: await world.writer() });
  } finally {
    await store.close();
  }
}
