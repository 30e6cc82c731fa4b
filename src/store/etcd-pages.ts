import type { IKeyValue } from 'etcd3';
import { isBeyondNewest, isCompacted, isTooLarge } from './etcd-errors.ts';
import type { EtcdCalls, EtcdOperation } from './etcd-session.ts';

export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

export interface EtcdPage {
  readonly kvs: readonly IKeyValue[];
  readonly revision: string;
  /** Hexadecimal, as etcdctl prints it. */
  readonly clusterId: string;
  readonly endpoint: string;
  /** Of this listing, or of one that began again at a newer revision: what came before does not count. */
  readonly isFirst: boolean;
}

/** The revision asked for is no longer kept. */
export class CompactedError extends Error {}

/** The revision asked for has not been yet: etcd went back to an earlier time. */
export class RestoredError extends Error {}

const PAGE = 1000;
const RESTARTS = 3;

/**
 * A range in one revision: the newest, or `at`. Whichever endpoint answers gives the next page. Always one page at least.
 * @throws {CompactedError} when `at` is not kept; without it the listing begins again. {RestoredError} when `at` has not been yet.
 */
export async function* readPages(
  operation: EtcdOperation,
  { range, at }: { readonly range: KeyRange; readonly at?: string | undefined },
): AsyncGenerator<EtcdPage> {
  for (let left = RESTARTS; ; left -= 1) {
    try {
      yield* readOnce(operation, range, at ?? '0');
      return;
    } catch (error) {
      if (!(error instanceof CompactedError) || at !== undefined || left <= 1) throw error;
    }
  }
}

/** The next page is under way while one is worked on. */
async function* readOnce(operation: EtcdOperation, range: KeyRange, at: string): AsyncGenerator<EtcdPage> {
  let request: RangeRequest = { ...range, limit: PAGE, revision: at };
  let coming = ask(operation, request);
  for (let isFirst = true; ; ) {
    const page = answerOf(await coming);
    if (page === 'too-large') {
      // one record cannot be more than etcd takes in a request, which is far below what we take
      request = { ...request, limit: Math.max(1, request.limit >> 2) };
      coming = ask(operation, request);
      continue;
    }
    const { kvs, header, more, endpoint } = page;
    const revision = request.revision === '0' ? header.revision : request.revision;
    const last = more ? kvs.at(-1) : undefined;
    if (last !== undefined) {
      request = { ...request, revision, key: Buffer.concat([last.key, Buffer.from([0])]) };
      coming = ask(operation, request);
    }
    yield { kvs, revision, clusterId: hexOf(header.cluster_id), endpoint, isFirst };
    isFirst = false;
    if (last === undefined) return;
  }
}

type Answer = Awaited<ReturnType<typeof readPage>>;

/** Settled, because it may fail while the page before it is worked on. */
function ask(operation: EtcdOperation, request: RangeRequest): Promise<readonly [PromiseSettledResult<Answer>]> {
  return Promise.allSettled([operation.read((calls) => readPage(calls, request))]);
}

function answerOf([outcome]: readonly [PromiseSettledResult<Answer>]): Answer {
  if (outcome.status === 'fulfilled') return outcome.value;
  throw outcome.reason;
}

type RangeRequest = KeyRange & { readonly limit: number; readonly revision: string };

async function readPage({ kv, options, endpoint }: EtcdCalls, request: RangeRequest) {
  try {
    return { ...(await kv.range(request, options)), endpoint };
  } catch (error) {
    if (isCompacted(error)) throw new CompactedError(`revision ${request.revision} is no longer kept`);
    if (isBeyondNewest(error)) throw new RestoredError(`revision ${request.revision} has not been yet`);
    if (isTooLarge(error) && request.limit > 1) return 'too-large';
    throw error;
  }
}

function hexOf(id: string): string {
  return BigInt.asUintN(64, BigInt(id)).toString(16);
}
