import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NODE_MAJOR = 24;

/** The Node that package-lock.json pins. */
export function ownNode(root) {
  return join(root, 'node_modules/.bin/node');
}

/** Installs what package-lock.json says when something of it is missing or is another version. */
export function installModules(root) {
  if (isInstalled(root)) return;
  process.stderr.write('Installing the node modules (npm ci) …\n');
  // --ignore-scripts: nothing in the tree needs one. --include: also where NODE_ENV=production. Errors only: Node 20 would
  // warn of every package that wants a newer one, and none of them runs on it.
  const flags = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { status } = spawnSync('npm', ['ci', '--engine-strict=false', ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status === 0 && existsSync(ownNode(root))) return;
  process.stderr.write('Error: npm ci failed; what it printed above says why.\n');
  process.exit(1);
}

/** npm writes what it installed into a lock file of its own. Optional packages may be for another machine. */
function isInstalled(root) {
  const written = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(written) || !existsSync(ownNode(root))) return false;
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(written);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || installed[path]?.version === version,
  );
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
