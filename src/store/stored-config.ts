import { InputError, UnavailableError } from '../errors.ts';
import { checkNetworkConfig, type ParsedNetworkConfig, parseNetworkConfig } from './config.ts';
import type { StoredNetworkConfig, SubnetStore } from './store.ts';

type StoredText = Pick<StoredNetworkConfig, 'text' | 'source'>;

/**
 * A stored configuration as flannel would take it. Where flannel allocates (etcd, and our file), its range rules hold and
 * the ranges are filled in; with the Kubernetes API the podCIDR rules.
 * @throws {UnavailableError} `malformed` when flannel would refuse it.
 */
export function parseStoredConfig(stored: StoredText, kind: SubnetStore['kind']): ParsedNetworkConfig {
  const parsed = parseText(stored);
  if (kind === 'kube') return parsed;
  const { config, problems } = checkNetworkConfig(parsed.config);
  if (problems.length === 0) return { ...parsed, config };
  throw new UnavailableError('malformed', `flannel refuses ${stored.source}: ${problems.join('; ')}`);
}

function parseText({ text, source }: StoredText): ParsedNetworkConfig {
  try {
    return parseNetworkConfig(text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new UnavailableError('malformed', `${error.message} (${source})`, { cause: error });
  }
}
