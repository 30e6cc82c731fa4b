import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageNamed } from '../../scripts/etcd-35.ts';
import { etcdProgram } from '../support/etcd-program.ts';

test('the etcd of this run is the one that it is called after', async () => {
  const { stdout } = await promisify(execFile)(etcdProgram(), ['--version']);
  expect(stdout).toContain(`etcd Version: ${process.env['TEST_ETCD']}.`);
});

test('the package is found in an index of Debian by its name alone', () => {
  const index = [
    'Package: etcd-server-extra\nFilename: pool/x.deb\nSHA256: 00\n',
    'Package: etcd-server\nVersion: 3.5.16-5\nDepends: adduser,\n libc6\nFilename: pool/e.deb\nSHA256: 0f\n',
  ];
  expect(packageNamed('etcd-server', index.join('\n'))).toEqual({ path: 'pool/e.deb', sha256: '0f' });
  expect(packageNamed('etcd-client', index.join('\n'))).toBeUndefined();
});
