import { existsSync } from 'node:fs';
import { ETCD_35 } from '../../scripts/etcd-35.ts';

/** The etcd that this run of the suite is about: vitest.config.ts runs some suites against both. */
export function etcdProgram(): string {
  if (process.env['TEST_ETCD'] !== '3.5') return 'etcd';
  if (existsSync(ETCD_35)) return ETCD_35;
  throw new Error(`${ETCD_35} is missing: fetching it needs https://deb.debian.org and dpkg-deb, once`);
}
