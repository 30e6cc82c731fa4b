import * as v from 'valibot';
import {
  AbsentError,
  ConflictError,
  type FlannelctlError,
  InputError,
  UnavailableError,
  type UnknownReason,
} from '../errors.ts';
import type { Host } from './host.ts';
import { maskHostCall } from './recording-mask.ts';

const REASONS = ['permission', 'timeout', 'missing-tool', 'unreachable', 'unsupported', 'malformed', 'crash'] as const;

const failureSchema = v.variant('class', [
  v.object({ class: v.literal('absent'), message: v.string(), hint: v.optional(v.string()) }),
  v.object({ class: v.literal('conflict'), message: v.string(), hint: v.optional(v.string()) }),
  v.object({
    class: v.literal('unavailable'),
    reason: v.picklist(REASONS),
    message: v.string(),
    hint: v.optional(v.string()),
  }),
  /** Anything else that was thrown: a bug, and a bug again when it is replayed. */
  v.object({ class: v.literal('crash'), message: v.string() }),
]);

const outcomeSchema = v.variant('status', [
  v.object({ status: v.literal('value'), value: v.optional(v.unknown()) }),
  v.object({ status: v.literal('error'), error: failureSchema }),
]);

const recordingSchema = v.object({
  version: v.literal(1),
  startedAt: v.pipe(v.number(), v.integer()),
  options: v.record(v.string(), v.unknown()),
  calls: v.record(v.string(), v.array(outcomeSchema)),
});

export type RecordedOutcome = v.InferOutput<typeof outcomeSchema>;
type Failure = v.InferOutput<typeof failureSchema>;

/** All that ports answered in one run, by call: what a replay needs instead of the machine. Plain JSON without secrets. */
export interface Recording {
  readonly version: 1;
  /** Epoch ms at which the run began. */
  readonly startedAt: number;
  /** What the user asked for, so that a replay asks the same. Plain JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `host.readFile("/etc/os-release")` → its outcomes in order. */
  readonly calls: Record<string, RecordedOutcome[]>;
}

export function startRecording(startedAt: number, options: Recording['options'] = {}): Recording {
  return { version: 1, startedAt, options, calls: {} };
}

/** @throws {InputError} when the text is no recording. */
export function openRecording(text: string): Recording {
  const parsed = v.safeParse(recordingSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new InputError(`no recording of flannelctl: ${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
}

/** A port that passes every call on and writes down what came of it. */
export function recordPort<P extends object>(name: string, port: P, recording: Recording): P {
  return recordMasked({ name, port, recording, mask: (_method, _args, value) => value });
}

/** A recorded Host: command lines, environments and files are written down without the secrets in them. */
export function recordHost(host: Host, recording: Recording): Host {
  return recordMasked({ name: 'host', port: host, recording, mask: maskHostCall });
}

interface PortToRecord<P> {
  readonly name: string;
  readonly port: P;
  readonly recording: Recording;
  /** Takes the secrets out of what is written down. */
  readonly mask: (method: string, args: readonly unknown[], value: unknown) => unknown;
}

function recordMasked<P extends object>({ name, port, recording, mask }: PortToRecord<P>): P {
  return new Proxy(port, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property);
      if (typeof property === 'symbol') return member;
      if (typeof member !== 'function') return recordProperty(recording, `${name}.${property}`, member);
      return (...args: readonly unknown[]) =>
        recordCall({
          recording,
          key: callKey(name, property, args),
          run: async () => Reflect.apply(member, target, args),
          mask: (value) => mask(property, args, value),
        });
    },
  });
}

export interface CallToRecord<T> {
  readonly recording: Recording;
  readonly key: string;
  readonly run: () => Promise<T>;
  readonly mask?: (value: unknown) => unknown;
}

/** Runs something and writes down what came of it: for what is no method of a port, such as opening a datastore. */
export async function recordCall<T>({ recording, key, run, mask }: CallToRecord<T>): Promise<T> {
  try {
    const value = await run();
    append(recording, key, { status: 'value', value: mask === undefined ? value : mask(value) });
    return value;
  } catch (error) {
    append(recording, key, { status: 'error', error: failureOf(error) });
    throw error;
  }
}

/** Name of a call. Deadlines are left out: a replay with another `--timeout` finds the same answers. */
export function callKey(port: string, method: string, args: readonly unknown[]): string {
  const said = args.map((arg) =>
    JSON.stringify(arg, (key, value: unknown) => (key === 'timeoutMs' ? undefined : value)),
  );
  while (said.length > 0 && (said.at(-1) === undefined || said.at(-1) === '{}')) said.pop();
  return `${port}.${method}(${said.map((text) => text ?? 'null').join(',')})`;
}

/** The error that a replay throws. */
export function errorOf(failure: Failure): Error {
  const options = 'hint' in failure && failure.hint !== undefined ? { hint: failure.hint } : {};
  switch (failure.class) {
    case 'absent':
      return new AbsentError(failure.message, options);
    case 'conflict':
      return new ConflictError(failure.message, options);
    case 'unavailable':
      return new UnavailableError(failure.reason satisfies UnknownReason, failure.message, options);
    case 'crash':
      return new Error(failure.message);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof UnavailableError) return { class: 'unavailable', reason: error.reason, ...messageOf(error) };
  if (error instanceof AbsentError) return { class: 'absent', ...messageOf(error) };
  if (error instanceof ConflictError) return { class: 'conflict', ...messageOf(error) };
  return { class: 'crash', message: error instanceof Error ? error.message : String(error) };
}

function messageOf({ message, hint }: FlannelctlError): { message: string; hint?: string } {
  return hint === undefined ? { message } : { message, hint };
}

function recordProperty(recording: Recording, key: string, value: unknown): unknown {
  if (value !== undefined) recording.calls[key] = [{ status: 'value', value }];
  return value;
}

/** Written down as it is now: the caller may go on to change the object it got. */
function append(recording: Recording, key: string, outcome: RecordedOutcome): void {
  const list = recording.calls[key] ?? [];
  recording.calls[key] = list;
  list.push(structuredClone(outcome));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError('no recording of flannelctl: it is not JSON', { cause: error });
  }
}
