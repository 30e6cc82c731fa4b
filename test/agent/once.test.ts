import { expect, test } from 'vitest';
import { previewOnce } from '../../src/agent/once.ts';
import { UnavailableError } from '../../src/errors.ts';
import { fakeNode, unreachable } from './fake-node.ts';

/** A dry run against a datastore that gives this instead of its configuration. */
function previewed(problem: UnavailableError) {
  const { board } = fakeNode({ store: { readNetworkConfig: () => Promise.reject(problem) } });
  const { parts, settings } = board;
  const { options, prefix } = settings;
  return previewOnce({ ...parts, options, prefix, files: settings, takeover: false });
}

test('what is remembered stands in for a datastore that is not there', async () => {
  await expect(previewed(unreachable())).rejects.toMatchObject({
    exitCode: 69,
    message: 'etcd refused the connection; there is no /nowhere/state.json to start from',
  });
});

test('nothing stands in for a datastore that wants other credentials', async () => {
  const denied = new UnavailableError('permission', 'etcd wants a password', { hint: 'Give one.' });
  await expect(previewed(denied)).rejects.toBe(denied);
});
