import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import type { Host } from './host.ts';
import { callKey, errorOf, type RecordedOutcome, type Recording } from './recording.ts';

/** Where each call of a replay stands in the outcomes that were recorded for it. */
export class Replay {
  readonly #calls: Recording['calls'];
  readonly #next = new Map<string, number>();

  constructor(recording: Recording) {
    this.#calls = recording.calls;
  }

  /** The outcomes in order; the last one repeats. @throws {UnavailableError} `unsupported` for what nobody recorded. */
  answer(key: string): unknown {
    const outcome = this.#take(key);
    if (outcome === undefined) throw new UnavailableError('unsupported', `not recorded: ${key}`);
    if (outcome.status === 'error') throw errorOf(outcome.error);
    return structuredClone(outcome.value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#calls, key);
  }

  #take(key: string): RecordedOutcome | undefined {
    const outcomes = this.has(key) ? (this.#calls[key] ?? []) : [];
    const index = Math.min(this.#next.get(key) ?? 0, outcomes.length - 1);
    this.#next.set(key, index + 1);
    return outcomes[index];
  }
}

/**
 * A port that answers from a recording and never from anything else. It has whatever methods and properties were recorded;
 * every other method rejects. The values are as recorded, so `P` has to be the port that was recorded under this name.
 */
export function recordedPort<P extends object>(name: string, recording: Recording): P {
  const replay = new Replay(recording);
  return new Proxy(Object.create(null), {
    get: (_target, property) => {
      // Awaiting a port asks for `then`; a port that had one would be taken for a promise.
      if (typeof property === 'symbol' || property === 'then' || property === 'toJSON') return undefined;
      if (replay.has(`${name}.${property}`)) return replay.answer(`${name}.${property}`);
      return async (...args: readonly unknown[]) => replay.answer(callKey(name, property, args));
    },
  });
}

/** The machine as it was recorded. What the recording holds is checked again: it may come from anybody. */
export function recordedHost(recording: Recording): Host {
  const replay = new Replay(recording);
  const answer = async <T>(method: string, args: readonly unknown[], schema: v.GenericSchema<unknown, T>): Promise<T> =>
    checked(schema, replay.answer(callKey('host', method, args)), method);
  return {
    identity: () => answer('identity', [], identitySchema),
    exec: (...args) => answer('exec', args, execSchema),
    readFile: (...args) => answer('readFile', args, v.string()),
    readDir: (...args) => answer('readDir', args, v.array(v.string())),
    readLink: (...args) => answer('readLink', args, v.string()),
    stat: (...args) => answer('stat', args, statSchema),
    connect: (...args) => answer('connect', args, v.picklist(['open', 'refused', 'silent', 'unreachable'])),
    udp: (...args) => answer('udp', args, udpSchema),
    exchange: (...args) => answer('exchange', args, exchangedSchema),
  };
}

const identitySchema = v.object({
  hostname: v.string(),
  kernel: v.string(),
  os: v.string(),
  arch: v.string(),
  uid: v.number(),
});
const execSchema = v.object({ exitCode: v.number(), stdout: v.string(), stderr: v.string() });
const statSchema = v.object({
  type: v.picklist(['file', 'directory', 'symlink', 'other']),
  sizeBytes: v.number(),
  modifiedAt: v.number(),
  mode: v.number(),
});
const exchangedSchema = v.object({
  received: v.array(v.object({ address: v.string(), payloadHex: v.string() })),
  refused: v.record(v.string(), v.string()),
});
const udpSchema = v.picklist(['answered', 'refused', 'prohibited', 'unreachable', 'silent']);

function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, method: string): T {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new UnavailableError('malformed', `the recording of host.${method} does not hold an answer of it`);
}
