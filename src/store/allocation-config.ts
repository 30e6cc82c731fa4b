import { InputError, UnavailableError } from '../errors.ts';
import { type NetworkConfig, parseNetworkConfig } from './config.ts';
import { checkNetworkConfig } from './config-ranges.ts';
import type { StoredNetworkConfig } from './store.ts';

/**
 * The stored configuration with its ranges filled in, as an allocation needs it.
 * @throws {UnavailableError} `malformed` when flannel would refuse it.
 */
export function allocationConfig(stored: StoredNetworkConfig): NetworkConfig {
  const { config, problems } = checkNetworkConfig(parseStored(stored));
  if (problems.length === 0) return config;
  throw new UnavailableError(
    'malformed',
    `the network configuration (${stored.source}) is refused: ${problems.join('; ')}`,
  );
}

function parseStored({ text, source }: StoredNetworkConfig): NetworkConfig {
  try {
    return parseNetworkConfig(text).config;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new UnavailableError('malformed', `${error.message} (${source})`, { cause: error });
  }
}
