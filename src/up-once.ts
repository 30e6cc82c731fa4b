import { type OnceResult, previewOnce, upOnce } from './agent/once.ts';
import type { AgentFiles } from './agent/settings.ts';
import type { FlannelOptions } from './net/flannel-options.ts';
import { selectNodeStore } from './node-selection.ts';
import type { StoreSecrets } from './store/store.ts';
import { prefixOf } from './up-session.ts';

export interface OnceRun {
  readonly root: string;
  readonly options: FlannelOptions;
  readonly secrets: StoreSecrets;
  readonly timeoutMs: number;
  readonly isDry: boolean;
  /** A dry run beside a flanneld that would be stopped. */
  readonly takeover: boolean;
  readonly files: AgentFiles;
}

/** `up --once` and `up --dry-run`. */
export async function runOnce({
  root,
  options,
  secrets,
  timeoutMs,
  isDry,
  takeover,
  files,
}: OnceRun): Promise<OnceResult> {
  const { openWorld } = await import('./wire.ts');
  const world = await openWorld({ root });
  const { host, clock } = world;
  const selection = await selectNodeStore(options, host);
  const store = await world.openStore(selection, { secrets, timeoutMs });
  const input = { options, host, clock, store, files, prefix: prefixOf(selection) };
  try {
    return isDry
      ? await previewOnce({ ...input, takeover })
      : await upOnce({ ...input, writer: await world.writer(), resident: await world.resident() });
  } finally {
    await store.close();
  }
}
