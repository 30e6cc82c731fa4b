import type { NetworkConfig } from './config.ts';
import type { StoredNetworkConfig } from './store.ts';
import { parseStoredConfig } from './stored-config.ts';

/**
 * The stored configuration with its ranges filled in, as an allocation needs it.
 * @throws {UnavailableError} `malformed` when flannel would refuse it.
 */
export function allocationConfig(stored: StoredNetworkConfig): NetworkConfig {
  return parseStoredConfig(stored, 'etcd').config;
}
