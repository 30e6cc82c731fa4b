import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import type { ExitCode } from '../../errors.ts';
import { backupText, backupTo } from '../../lease-backups.ts';
import { backupDirFlag, datastoreFlags } from '../../lease-flags.ts';
import { inTime, type LeaseSession, refuseKubernetes, withLeaseSession } from '../../lease-session.ts';
import { API } from '../../render/lease-document.ts';
import { leaseWords } from '../../render/lease-words.ts';
import { safeJson } from '../../render/safe-json.ts';

export default class LeasesBackup extends BaseCommand {
  static override summary = 'Write all leases and the network configuration to a file';
  static override description =
    'One revision of the datastore, byte for byte, with the time that each lease has left. The file is for its owner alone and is read back after it was written.';
  static override examples = [
    'sudo <%= config.bin %> leases backup',
    '<%= config.bin %> leases backup leases.json --etcd-endpoints https://10.0.0.1:2379',
  ];
  static override args = {
    file: Args.string({ description: 'the file, -: standard output; default: a new one in the backup directory' }),
  };
  static override flags = { ...datastoreFlags, ...backupDirFlag };

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(LeasesBackup);
    const format = this.format(flags, ['text', 'json']);
    const withStore = <T>(work: (session: LeaseSession) => Promise<T>) =>
      withLeaseSession(flags, this.stopSignal(), (session) => {
        refuseKubernetes(session, 'Save the Nodes: kubectl get nodes -o yaml');
        return inTime(session, work(session));
      });
    if (args.file === '-') {
      this.print(await withStore(backupText));
      return 0;
    }
    const request = { file: args.file, directory: flags['backup-dir'] };
    const { path, dump } = await withStore((session) => backupTo(session, request));
    const { prefix, clusterId, revision, records, config } = dump;
    const document = { prefix, clusterId, revision, leases: records.length, hasConfig: config !== null };
    this.print(
      format === 'json'
        ? safeJson({ ...API, kind: 'BackupResult', file: path, ...document }, 2)
        : leaseWords(this.language(flags)).written(records.length, path),
    );
    return 0;
  }
}
