import { Args, Flags } from '@oclif/core';
import { parseDuration } from './duration.ts';
import { UsageError } from './errors.ts';
import type { GivenOptions } from './facts/fact.ts';
import { flannelFlags, givenFlannelOptions } from './flannel-flags.ts';

const JUDGING = { helpGroup: 'JUDGING' };
const LOOKING = { helpGroup: 'LOOKING' };
const REPAIRING = { helpGroup: 'REPAIRING' };

export const doctorArgs = {
  check: Args.string({ description: 'id or group of a check; several may be given; none: all' }),
};

export const doctorFlags = {
  ...flannelFlags,
  skip: Flags.string({ ...JUDGING, multiple: true, multipleNonGreedy: true, summary: 'leave this check or group out' }),
  suppress: Flags.string({
    ...JUDGING,
    multiple: true,
    multipleNonGreedy: true,
    summary: 'report this check, but let it not count',
  }),
  'fail-on': Flags.option({
    ...JUDGING,
    options: ['error', 'warning', 'never'] as const,
    default: 'error',
    summary: 'severity that makes exit code 1',
  })(),
  strict: Flags.boolean({ ...JUDGING, summary: 'unknown counts as failure' }),
  probe: Flags.option({
    ...LOOKING,
    options: ['active', 'passive'] as const,
    default: 'active',
    summary: 'passive sends no packet',
  })(),
  peers: Flags.string({ ...LOOKING, default: '32', summary: 'how many peers are probed: a number, or all' }),
  'check-timeout': Flags.string({ ...LOOKING, default: '5s', summary: 'give up on one reading after this long' }),
  wait: Flags.string({ ...LOOKING, summary: 'look again until healthy, for at most this long' }),
  report: Flags.string({
    ...LOOKING,
    multiple: true,
    multipleNonGreedy: true,
    summary: 'FORMAT=FILE: write the report there too',
  }),
  record: Flags.string({ hidden: true, summary: 'write down every answer of the machine' }),
  replay: Flags.string({ hidden: true, summary: 'judge a recorded run instead of this machine' }),
  fix: Flags.boolean({ ...REPAIRING, summary: 'repair what a tool may repair, after showing it' }),
  'dry-run': Flags.boolean({ ...REPAIRING, summary: 'with --fix: show the repair, write nothing' }),
  yes: Flags.boolean({ ...REPAIRING, char: 'y', summary: 'answer yes' }),
};

interface TimeFlags {
  readonly timeout: string | undefined;
  readonly 'check-timeout': string;
  readonly wait: string | undefined;
}

export interface DoctorTimes {
  readonly wholeMs: number;
  readonly passiveMs: number;
  /** One call to the datastore; shorter than the reading around it, so that the adapter itself can say which endpoint was silent. */
  readonly storeMs: number;
  readonly waitMs: number;
}

/** @throws {UsageError} for what is no duration. */
export function doctorTimes(flags: TimeFlags): DoctorTimes {
  const wholeMs = parseDuration(flags.timeout ?? '30s', '--timeout');
  const passiveMs = Math.min(wholeMs, parseDuration(flags['check-timeout'], '--check-timeout'));
  const waitMs = flags.wait === undefined ? 0 : parseDuration(flags.wait, '--wait');
  return { wholeMs, passiveMs, storeMs: Math.round(Math.min(passiveMs * 0.7, wholeMs * 0.5)), waitMs };
}

interface PeerFlags {
  readonly peers: string;
  readonly [flag: string]: unknown;
}

/** @throws {UsageError} when `--peers` is neither a number nor `all`. */
export function givenOptions(flags: PeerFlags, storeTimeoutMs: number): GivenOptions {
  if (flags.peers !== 'all' && !/^[1-9]\d{0,5}$/.test(flags.peers)) {
    throw new UsageError(`--peers takes a number of 1 or more, or all, not ${JSON.stringify(flags.peers)}`);
  }
  const flannel = givenFlannelOptions(flags);
  const namesDatastore =
    flannel.etcdEndpoints !== undefined || flannel.kubeSubnetMgr === true || flannel.kubeconfigFile !== undefined;
  return { flannel, namesDatastore, peerLimit: flags.peers === 'all' ? null : Number(flags.peers), storeTimeoutMs };
}
