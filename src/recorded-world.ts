import { UnavailableError } from './errors.ts';
import type { Host } from './host/host.ts';
import { recordedHost, recordedPort } from './host/recorded.ts';
import { type Recording, recordCall, recordHost, recordPort } from './host/recording.ts';
import { systemClock } from './host/system-clock.ts';
import type { KubeApi } from './kube/kube.ts';
import type { EtcdHealth } from './store/health.ts';
import type { StoreSelection, SubnetStore } from './store/store.ts';
import type { World } from './wire.ts';

/** The same world, with every answer it gives to facts written down. */
export function recordingWorld(world: World, recording: Recording): World {
  const host: Host = recordHost(world.host, recording);
  return {
    ...world,
    host,
    openStore: async (selection, options) => {
      const port = portName('store', selection);
      const store = await openRecorded(recording, port, () => world.openStore(selection, options));
      return recordPort<SubnetStore>(port, store, recording);
    },
    openKube: async (selection, options) => {
      const port = portName('kube', selection);
      const kube = await openRecorded(recording, port, () => world.openKube(selection, options));
      return recordPort<KubeApi>(port, kube, recording);
    },
    openEtcdHealth: async (selection, options) => {
      const port = portName('health', selection);
      const health = await openRecorded(recording, port, () => world.openEtcdHealth(selection, options));
      return recordPort<EtcdHealth>(port, health, recording);
    },
  };
}

/** A world that answers from a recording, and from nothing else; nothing can be written in it. */
export function replayingWorld(recording: Recording): World {
  const opened = recordedPort<Record<string, () => Promise<void>>>('open', recording);
  const open = async <P extends object>(port: string): Promise<P> => {
    await opened[port]?.();
    return recordedPort<P>(port, recording);
  };
  return {
    host: recordedHost(recording),
    clock: { ...systemClock, now: () => recording.startedAt },
    writer: () => Promise.reject(new UnavailableError('unsupported', 'a recorded host cannot be repaired')),
    resident: () => Promise.reject(new UnavailableError('unsupported', 'nothing stays in a recorded host')),
    keepMemorySmall: async () => (await import('./host/live-memory.ts')).keepMemorySmall(),
    openStore: (selection) => open<SubnetStore>(portName('store', selection)),
    openKube: (selection) => open<KubeApi>(portName('kube', selection)),
    openEtcdHealth: (selection) => open<EtcdHealth>(portName('health', selection)),
  };
}

function portName(kind: string, selection: StoreSelection): string {
  return `${kind} ${JSON.stringify(selection)}`;
}

/** Opening may fail too, and must fail again when replayed. */
async function openRecorded<P>(recording: Recording, port: string, open: () => Promise<P>): Promise<P> {
  let opened: { readonly port: P } | undefined;
  await recordCall({
    recording,
    key: `open.${port}()`,
    run: async () => {
      opened = { port: await open() };
    },
  });
  if (opened === undefined) throw new TypeError('opened without a port');
  return opened.port;
}
