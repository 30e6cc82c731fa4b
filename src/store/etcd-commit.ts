import type { IKeyValue, ITxnRequest } from 'etcd3';
import { UnavailableError } from '../errors.ts';
import type { EtcdOperation } from './etcd-session.ts';
import { OutcomeUnknownError } from './outcome.ts';

export type Compare = NonNullable<ITxnRequest['compare']>[number];
export type Operation = NonNullable<ITxnRequest['success']>[number];

/** What the record that is found after an answer was lost says of the write. */
export type Verdict = 'applied' | 'not-yet' | 'superseded';

export interface Commit {
  readonly key: Buffer;
  /** The object of the write, for messages: `10.244.7.0-24`. */
  readonly what: string;
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly judge: (found: IKeyValue | undefined) => Verdict;
  /** It compares a revision that its own taking effect changes: sent twice, it takes effect once. */
  readonly isRepeatable: boolean;
}

export type Committed =
  | { readonly kind: 'applied' /** mod_revision it gave */; readonly revision: string }
  /** `found`: what stands at the key instead. `isCertain`: no earlier sending can have taken effect. */
  | { readonly kind: 'refused'; readonly found: IKeyValue | undefined; readonly isCertain: boolean };

/** Times a write is sent again after the record has shown that it has not taken effect. */
const REPEATS = 3;

/**
 * One transaction that takes effect once at most. When its answer is lost the record is read, from whichever endpoint
 * answers: it tells whether the write took effect.
 * @throws {OutcomeUnknownError} when not even that is known.
 */
export async function commit(operation: EtcdOperation, write: Commit): Promise<Committed> {
  let lost: OutcomeUnknownError | undefined;
  for (let left = REPEATS; ; left -= 1) {
    const sent = await send(operation, write, lost);
    if (!(sent instanceof OutcomeUnknownError)) {
      const isOurs = lost !== undefined && sent.kind === 'refused' && write.judge(sent.found) === 'applied';
      if (isOurs) return { kind: 'applied', revision: sent.found?.mod_revision ?? '0' };
      return sent.kind === 'refused' ? { ...sent, isCertain: lost === undefined } : sent;
    }
    lost ??= sent;
    const found = await readBack(operation, write.key, sent);
    const verdict = write.judge(found);
    if (verdict !== 'not-yet') operation.settle();
    if (verdict === 'applied') return { kind: 'applied', revision: found?.mod_revision ?? '0' };
    if (verdict === 'superseded') return { kind: 'refused', found, isCertain: false };
    // sent and not there: it may still be on its way
    if (!write.isRepeatable || left <= 1) throw sent;
  }
}

type Sent =
  | { readonly kind: 'applied'; readonly revision: string }
  | { readonly kind: 'refused'; readonly found: IKeyValue | undefined; readonly isCertain: true };

async function send(
  operation: EtcdOperation,
  { key, what, compare, success }: Commit,
  lost: OutcomeUnknownError | undefined,
): Promise<Sent | OutcomeUnknownError> {
  try {
    const failure = [{ request_range: { key } }];
    const answer = await operation.write(what, { compare: [...compare], success: [...success], failure });
    if (answer.succeeded) return { kind: 'applied', revision: answer.header.revision };
    return { kind: 'refused', found: answer.responses[0]?.response_range?.kvs[0], isCertain: true };
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return error;
    // that it cannot be sent again says nothing about the first time
    throw error instanceof UnavailableError ? (lost ?? error) : error;
  }
}

async function readBack(operation: EtcdOperation, key: Buffer, lost: OutcomeUnknownError) {
  try {
    return await operation.read(async ({ kv, options }) => (await kv.range({ key }, options)).kvs[0]);
  } catch (error) {
    throw error instanceof UnavailableError ? lost : error;
  }
}
