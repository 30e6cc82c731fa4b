import * as v from 'valibot';
import { AbsentError, UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { parseJson } from './go-json.ts';

const REVISION = v.pipe(v.number(), v.integer(), v.minValue(0));

const RECORD = v.object({
  value: v.string(),
  modRevision: REVISION,
  /** Epoch ms; `null`: never. */
  expiresAt: v.nullable(v.number()),
});

const DOCUMENT = v.object({
  version: v.literal(1),
  /** Counts writes; the modRevision of what a write touched. */
  revision: REVISION,
  config: v.nullable(v.object({ value: v.string(), modRevision: REVISION })),
  /** By key as etcd has it below `<prefix>/subnets/`. */
  records: v.record(v.string(), RECORD),
});

/** All that a file store holds; keys and values are those of etcd. */
export type FileDocument = v.InferOutput<typeof DOCUMENT>;
export type FileRecord = v.InferOutput<typeof RECORD>;

export const EMPTY_DOCUMENT: FileDocument = { version: 1, revision: 0, config: null, records: {} };

/** The path itself when it is a file or ends in `.json`, else `leases.json` in it. */
export async function documentPath(host: Host, path: string): Promise<string> {
  const type = await typeOf(host, path);
  if (type === 'file' || (type === undefined && path.endsWith('.json'))) return path;
  return `${path.replace(/\/+$/, '')}/leases.json`;
}

/**
 * `undefined`: there is no file.
 * @throws {UnavailableError} when it cannot be read, or is no such document.
 */
export async function readDocument(host: Host, path: string): Promise<FileDocument | undefined> {
  const text = await readIfThere(host, path);
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  const result = v.safeParse(DOCUMENT, 'value' in parsed ? parsed.value : undefined);
  if (result.success) return result.output;
  const where = v.getDotPath(result.issues[0]);
  const what = 'problem' in parsed ? parsed.problem : `${where ?? 'it'} is not what it should be`;
  throw new UnavailableError('malformed', `file store ${path} does not parse: ${what}`);
}

/** Without the records whose time is over. */
export function withoutExpired(document: FileDocument, now: number): FileDocument {
  const alive = Object.entries(document.records).filter(([, { expiresAt }]) => expiresAt === null || expiresAt > now);
  return { ...document, records: Object.fromEntries(alive) };
}

export function formatDocument(document: FileDocument): string {
  return `${JSON.stringify(document, null, 1)}\n`;
}

async function typeOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return (await host.stat(path)).type;
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}

async function readIfThere(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path);
  } catch (error) {
    if (error instanceof AbsentError) return undefined;
    throw error;
  }
}
