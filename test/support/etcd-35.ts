import { fetchEtcd35 } from '../../scripts/etcd-35.ts';

/** Before the suites that run against etcd 3.5. Without it each of them fails and says so; all others run. */
export default async function setup(): Promise<void> {
  try {
    await fetchEtcd35();
  } catch (error) {
    process.stderr.write(`etcd 3.5 could not be fetched: ${reasonOf(error)}\n`);
  }
}

/** fetch() says "fetch failed", and why only in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
