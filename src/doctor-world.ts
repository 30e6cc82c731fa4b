import { assertWritable, openWorld, readInput, type World, writeOutput } from './wire.ts';

interface WorldFlags {
  readonly root: string;
  readonly record: string | undefined;
  readonly replay: string | undefined;
}

export interface DoctorWorld {
  readonly world: World;
  readonly source: 'live' | 'recorded';
  /** Writes the recording that was asked for. @throws {OutputError} when it cannot be written. */
  finish(): Promise<void>;
}

/** The machine; the machine with every answer written down (`--record`); or an earlier run of it (`--replay`). */
export async function openDoctorWorld({ root, record, replay }: WorldFlags, over: AbortSignal): Promise<DoctorWorld> {
  const nothing = async () => undefined;
  if (replay !== undefined) {
    const { openRecording } = await import('./host/recording.ts');
    const { replayingWorld } = await import('./recorded-world.ts');
    return { world: replayingWorld(openRecording(await readInput(replay))), source: 'recorded', finish: nothing };
  }
  const world = await openWorld({ root, over });
  if (record === undefined) return { world, source: 'live', finish: nothing };
  const { startRecording } = await import('./host/recording.ts');
  const { recordingWorld } = await import('./recorded-world.ts');
  await assertWritable(record);
  const recording = startRecording(world.clock.now());
  const finish = () => writeOutput(record, `${JSON.stringify(recording)}\n`, 0o600);
  return { world: recordingWorld(world, recording), source: 'live', finish };
}
