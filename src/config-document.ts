import { InputError } from './errors.ts';
import { configWarnings } from './leases/config-warnings.ts';
import { checkNetworkConfig, type NetworkConfig, parseNetworkConfig } from './store/config.ts';

/** What flannel would make of a document. */
export interface ExaminedConfig {
  /** With the defaults and ranges filled in; `null`: flannel refuses it. */
  readonly config: NetworkConfig | null;
  /** Why flannel refuses it, one line each. */
  readonly problems: readonly string[];
  /** Where flannel silently does something else than it says. */
  readonly warnings: readonly string[];
}

/** Every rule of flannel's own parser: those of its ranges hold where flannel itself allocates. Never throws for what a document holds. */
export function examineConfig(text: string, kind: 'etcd' | 'kube' | 'file'): ExaminedConfig {
  try {
    const parsed = parseNetworkConfig(text);
    const warnings = [...parsed.warnings, ...configWarnings(text, kind)];
    const { config, problems: ofRanges } = checkNetworkConfig(parsed.config);
    const problems = kind === 'kube' ? parsed.obstacles : [...parsed.obstacles, ...ofRanges];
    if (problems.length > 0) return { config: null, problems, warnings };
    return { config: kind === 'kube' ? parsed.config : config, problems, warnings };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { config: null, problems: [error.message], warnings: [] };
  }
}

/** @throws {InputError} naming every problem. */
export function assertAccepted({ config, problems }: ExaminedConfig, file: string): NetworkConfig {
  if (config !== null) return config;
  throw new InputError(`flannel refuses ${file}: ${problems.join('; ')}`);
}
