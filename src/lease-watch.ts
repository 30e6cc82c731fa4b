import { readScene } from './lease-scene.ts';
import { inTime, type LeaseSession } from './lease-session.ts';
import { type LeaseEvent, LeaseFollower } from './leases/follow.ts';

export interface WatchRequest {
  readonly kubeconfigEnv: string | undefined;
  readonly tell: (events: readonly LeaseEvent[]) => void;
  readonly onInterruption: (message: string) => void;
}

/** Follows the leases until a signal ends it. @throws {UnavailableError} when the first snapshot cannot be read. */
export async function watchLeases(session: LeaseSession, request: WatchRequest): Promise<void> {
  const { store, signal, world } = session;
  const { scene } = await inTime(session, readScene(session, { ttl: false, kubeconfigEnv: request.kubeconfigEnv }));
  const follower = new LeaseFollower(() => ({ ...scene, now: world.clock.now() }));
  const onInterruption = ({ message }: Error) => request.onInterruption(message);
  for await (const event of store.watch(signal, { onInterruption })) request.tell(follower.take(event));
}
