import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { examineConfig } from '../../config-document.ts';
import type { ExitCode } from '../../errors.ts';
import { configDocument, renderConfigJson } from '../../render/config-text.ts';
import { printable } from '../../render/printable.ts';
import { readInput } from '../../wire.ts';

export default class ConfigValidate extends BaseCommand {
  static override summary = "Check a network configuration by every rule of flannel's own parser";
  static override description =
    'Offline. Exits 65 when flannel would refuse it. Warns where flannel takes it and silently does something else: without Backend it takes udp, not vxlan.';
  static override examples = [
    '<%= config.bin %> config validate net-conf.json',
    'etcdctl get --print-value-only /coreos.com/network/config | <%= config.bin %> config validate -',
  ];
  static override args = { file: Args.string({ required: true, description: 'the file; -: standard input' }) };
  static override flags = {
    'kube-subnet-mgr': Flags.boolean({
      env: 'FLANNELD_KUBE_SUBNET_MGR',
      allowNo: true,
      summary: 'by the rules of the Kubernetes subnet manager, which has none for ranges',
    }),
  };

  protected async execute(): Promise<ExitCode> {
    const { args, flags } = await this.parse(ConfigValidate);
    const format = this.format(flags, ['text', 'json', 'yaml']);
    const text = await readInput(args.file);
    const examined = examineConfig(text, flags['kube-subnet-mgr'] ? 'kube' : 'etcd');
    const document = configDocument({ ...examined, text, source: args.file, revision: null });
    if (format === 'json') this.print(renderConfigJson(document));
    else if (format === 'yaml') this.print((await import('../../render/yaml.ts')).renderYaml(document));
    else {
      const isChinese = this.language(flags) === 'zh';
      const accepted = isChinese ? `flannel 接受 ${args.file}` : `flannel accepts ${args.file}`;
      const refused = isChinese ? `flannel 拒绝 ${args.file}：` : `flannel refuses ${args.file}:`;
      this.print(examined.problems.length === 0 ? accepted : refused);
      for (const problem of examined.problems) this.print(`  ${printable(problem)}`);
      if (!flags.quiet) for (const warning of examined.warnings) this.note(`Warning: ${printable(warning)}`);
    }
    return examined.problems.length === 0 ? 0 : 65;
  }
}
