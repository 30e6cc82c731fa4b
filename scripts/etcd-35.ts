import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { ROOT } from './registry.ts';

// Debian 12 has etcd 3.4; flannel is mostly run on 3.5. It is taken out of Debian 13's package into a folder of its own: nothing is
// installed, and the etcd in PATH stays what it is.

/** Where the program is once it was fetched. */
export const ETCD_35 = join(ROOT, 'node_modules/.cache/etcd-3.5/etcd');

const MIRROR = 'https://deb.debian.org/debian';

/** A package in Debian's pool. */
export interface PoolPackage {
  /** Below the mirror's root. */
  readonly path: string;
  readonly sha256: string;
}

interface Architecture {
  readonly debianName: string;
  readonly pinned: PoolPackage;
}

const ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, Architecture>>> = {
  x64: {
    debianName: 'amd64',
    pinned: {
      path: 'pool/main/e/etcd/etcd-server_3.5.16-4_amd64.deb',
      sha256: '0875921bb0d023f2af9b8e15cdfbe417a03e65731345fb832c40f9c2dd72967b',
    },
  },
  arm64: {
    debianName: 'arm64',
    pinned: {
      path: 'pool/main/e/etcd/etcd-server_3.5.16-4_arm64.deb',
      sha256: '5e21469a4f59f1cb2ed7af9c6eb9dda7d9734809c011cfa8a39b34f82a161a32',
    },
  },
};

/** Fetches etcd 3.5 unless it is there. @throws {Error} that says what it needs. */
export async function fetchEtcd35(): Promise<void> {
  if (existsSync(ETCD_35)) return;
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no etcd 3.5 to fetch for ${process.arch}`);
  await unpack(await download(architecture));
}

/** The pinned package; the pool keeps one version at a time, so once Debian has a newer one, that of its index. */
async function download({ debianName, pinned }: Architecture): Promise<Buffer> {
  const found = await get(pinned.path);
  if (found !== undefined) return verified(found, pinned);
  const index = await get(`dists/trixie/main/binary-${debianName}/Packages.gz`);
  const current = index && packageNamed('etcd-server', gunzipSync(index).toString());
  const newer = current && (await get(current.path));
  if (!current || !newer) throw new Error(`${MIRROR} has no etcd-server for Debian 13`);
  return verified(newer, current);
}

/** The paragraph of one package in an index of Debian (deb822). */
export function packageNamed(name: string, index: string): PoolPackage | undefined {
  const paragraph = index.split('\n\n').find((text) => text.startsWith(`Package: ${name}\n`));
  const field = (key: string) => new RegExp(`^${key}: (.+)$`, 'm').exec(paragraph ?? '')?.[1];
  const [path, sha256] = [field('Filename'), field('SHA256')];
  return path === undefined || sha256 === undefined ? undefined : { path, sha256 };
}

/** `undefined`: the mirror does not have it. */
async function get(path: string): Promise<Buffer | undefined> {
  const response = await fetch(`${MIRROR}/${path}`, { signal: AbortSignal.timeout(120_000) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${MIRROR}/${path} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function verified(bytes: Buffer, { path, sha256 }: PoolPackage): Buffer {
  const sum = createHash('sha256').update(bytes).digest('hex');
  if (sum !== sha256) throw new Error(`${MIRROR}/${path} has the SHA256 ${sum}, not ${sha256}`);
  return bytes;
}

/** Whole or not at all: whoever starts it meanwhile finds nothing, or the program. */
async function unpack(debFile: Buffer): Promise<void> {
  const folder = dirname(ETCD_35);
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(folder, 'fetch-'));
  try {
    await writeFile(join(temporary, 'etcd.deb'), debFile);
    await promisify(execFile)('dpkg-deb', ['--extract', join(temporary, 'etcd.deb'), join(temporary, 'root')]);
    await rename(join(temporary, 'root/usr/bin/etcd'), ETCD_35);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
