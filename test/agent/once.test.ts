import { expect, test } from 'vitest';
import { previewOnce } from '../../src/agent/once.ts';
import { UnavailableError } from '../../src/errors.ts';
import { fakeNode, hostRunning, unreachable } from './fake-node.ts';

const STATE = '/nowhere/state.json';
const LEASES = '/nowhere/leases.json';

interface Remembered {
  readonly files?: Readonly<Record<string, string>>;
  readonly leasesFile?: string;
}

/** A dry run against a datastore that gives this instead of its configuration. */
function previewed(problem: UnavailableError, { files = {}, leasesFile }: Remembered = {}) {
  const store = { readNetworkConfig: () => Promise.reject(problem) };
  const { board } = fakeNode({ store, host: hostRunning('sleep', files), settings: { leasesFile } });
  const { parts, settings } = board;
  const { options, prefix } = settings;
  return previewOnce({ ...parts, options, prefix, files: settings, takeover: false });
}

test('what is remembered stands in for a datastore that is not there', async () => {
  await expect(previewed(unreachable())).rejects.toMatchObject({
    exitCode: 69,
    message: `etcd refused the connection; there is no ${STATE} to start from`,
  });
});

test('nothing stands in for a datastore that wants other credentials', async () => {
  const denied = new UnavailableError('permission', 'etcd wants a password', { hint: 'Give one.' });
  await expect(previewed(denied)).rejects.toBe(denied);
});

test('a state that cannot be read does not hide that the datastore is not there', async () => {
  await expect(previewed(unreachable(), { files: { [STATE]: '{' } })).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringMatching(/^etcd refused the connection; \/nowhere\/state\.json is no state file/),
  });
});

test('a file that was named needs no state, whatever that is', async () => {
  const item = { key: '10.244.1.0-24', publicIP: '192.168.9.1', backendType: 'vxlan', backendData: { VNI: 1 } };
  const config = { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };
  const files = { [STATE]: '{', [LEASES]: JSON.stringify({ kind: 'LeaseList', items: [item], config }) };
  const { warning, lease } = await previewed(unreachable(), { files, leasesFile: LEASES });
  expect([warning, lease.subnet]).toEqual([
    expect.stringContaining(`from ${LEASES}: entries are added and corrected, nobody is removed`),
    '10.244.1.0/24',
  ]);
});
