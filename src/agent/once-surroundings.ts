import { planTrafficRules, type TrafficRules } from '../dataplane/masquerade.ts';
import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { FlannelOptions } from '../net/flannel-options.ts';
import type { NetworkConfig } from '../store/config.ts';
import type { Lease } from '../store/store.ts';
import { lookAtConflist } from './conflist-file.ts';
import { readIfThere } from './file-text.ts';
import { problemText } from './problem.ts';
import { rulesFor } from './rules.ts';

export interface SurroundingsInput {
  readonly host: Host;
  readonly config: NetworkConfig;
  readonly lease: Pick<Lease, 'subnet' | 'ipv6Subnet'>;
  readonly options: FlannelOptions;
  readonly subnetEnv: string;
  /** `--cni-conf` */
  readonly cniConf: string | undefined;
}

/** What is changed beside the overlay: packet filter rules and files. */
export interface Surroundings {
  /** `+`, `-` or `=` and what it is about. */
  readonly changes: readonly string[];
  /** What could not be looked at, or is somebody else's, and why. */
  readonly notes: readonly string[];
}

/** What has to be done beside the overlay; nothing is written. */
export async function lookAround(input: SurroundingsInput): Promise<Surroundings> {
  const [rules, subnetFile, conflist] = await Promise.all([
    rulesAround(input),
    subnetFileAround(input),
    conflistAround(input),
  ]);
  const all = [rules, subnetFile, conflist];
  return { changes: all.flatMap(({ changes }) => changes), notes: all.flatMap(({ notes }) => notes) };
}

/** Not everybody who may look at the routes may look at the rules. */
async function rulesAround(input: SurroundingsInput): Promise<Surroundings> {
  try {
    const rules = await rulesFor(input);
    const steps = await planTrafficRules({ host: input.host, rules });
    const changes = steps.flatMap((step) => step.changes.map(signed));
    return { changes: changes.length > 0 ? changes : kept(rules), notes: [] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { changes: [], notes: [`the packet filter rules are not shown: ${problemText(error)}`] };
  }
}

function signed(command: string): string {
  return `${/ -[DXF] | delete table /.test(command) ? '-' : '+'} ${command}`;
}

/** The rules themselves: where all is in order there is no command to show. */
function kept({ mode, families }: TrafficRules): readonly string[] {
  return families.flatMap(({ family, masquerade, forward }) => {
    const lines = (rules: readonly string[] | null, head: string) => (rules ?? []).map((rule) => `= ${head} ${rule}`);
    if (mode === 'nftables') {
      const table = family === 4 ? 'ip flannel-ipv4' : 'ip6 flannel-ipv6';
      return [
        ...lines(forward, `nft add rule ${table} forward`),
        ...lines(masquerade, `nft add rule ${table} postrtg`),
      ];
    }
    const program = family === 4 ? 'iptables' : 'ip6tables';
    return [
      ...lines(masquerade, `${program} -t nat -A FLANNEL-POSTRTG`),
      ...lines(forward, `${program} -t filter -A FLANNEL-FWD`),
    ];
  });
}

async function subnetFileAround({ host, options, subnetEnv }: SurroundingsInput): Promise<Surroundings> {
  const path = options.subnetFile;
  const before = await readIfThere(host, path);
  if (before === subnetEnv) return { changes: [`= file ${path}`], notes: [] };
  return { changes: written(path, before), notes: [] };
}

async function conflistAround({ host, options, cniConf }: SurroundingsInput): Promise<Surroundings> {
  if (cniConf === undefined) return { changes: [], notes: [] };
  const { verdict, before } = await lookAtConflist({ host, path: cniConf, subnetFile: options.subnetFile });
  switch (verdict.kind) {
    case 'in-order':
      return { changes: [`= file ${cniConf}`], notes: [] };
    case 'write':
      return { changes: written(cniConf, before), notes: [] };
    case 'foreign':
      return { changes: [], notes: [`${cniConf} is left alone: ${verdict.reason}`] };
  }
}

function written(path: string, before: string | undefined): readonly string[] {
  return [...(before === undefined ? [] : [`- file ${path}`]), `+ file ${path}`];
}
