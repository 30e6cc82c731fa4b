import { Flags } from '@oclif/core';
import { flannelFlags } from './flannel-flags.ts';

const LEASES = { helpGroup: 'LEASES' };

/** Which datastore, for every command on leases and configuration. */
export const datastoreFlags = {
  ...flannelFlags,
  'kubeconfig-env': Flags.string({ hidden: true, env: 'KUBECONFIG', summary: 'Kubernetes is there to be asked' }),
};

export const listFlags = {
  ...datastoreFlags,
  'no-ttl': Flags.boolean({ ...LEASES, summary: 'do not ask for the time left of each lease: much faster' }),
  state: Flags.string({ ...LEASES, summary: 'only leases that bear this state' }),
};

export const confirmFlags = {
  'dry-run': Flags.boolean({ ...LEASES, summary: 'show what would be done; write nothing' }),
  yes: Flags.boolean({ ...LEASES, char: 'y', summary: 'answer yes' }),
};

export const forceFlag = {
  force: Flags.boolean({ ...LEASES, summary: 'do it although it is refused otherwise' }),
};

export const backupDirFlag = {
  'backup-dir': Flags.string({
    ...LEASES,
    summary: 'where backups go; default: /var/lib/flannelctl/backups as root, else here',
  }),
};

export const pruneFlags = {
  ...datastoreFlags,
  ...confirmFlags,
  ...forceFlag,
  ...backupDirFlag,
  subnet: Flags.string({
    ...LEASES,
    multiple: true,
    multipleNonGreedy: true,
    summary: 'only this subnet; also a reservation, or an owner that is silent and has time left',
  }),
  max: Flags.integer({
    ...LEASES,
    min: 1,
    summary: 'delete at most so many; default: a fifth of the leases, at least 1',
  }),
};
