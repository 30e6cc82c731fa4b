import type { EtcdSelection } from '../facts/etcd.ts';
import { shellWord } from '../shell-word.ts';

/** A command line for the reader that reaches this etcd as flannel does; it asks for the password itself. */
export function etcdctl(selection: EtcdSelection, endpoint: string, command: string): string {
  const { caFile, certFile, keyFile, username } = selection;
  const isSecure = endpoint.startsWith('https:');
  const flags = [
    ['endpoints', endpoint],
    ['cacert', isSecure ? caFile : ''],
    ['cert', isSecure ? certFile : ''],
    ['key', isSecure ? keyFile : ''],
    ['user', username],
  ] as const;
  const written = flags.flatMap(([name, value]) => (value === '' ? [] : [`--${name}=${shellWord(value)}`]));
  return ['etcdctl', ...written, command].join(' ');
}
