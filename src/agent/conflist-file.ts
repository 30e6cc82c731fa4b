import { type ConflistVerdict, judgeConflist, renderConflist } from '../dataplane/conflist.ts';
import { FlannelctlError } from '../errors.ts';
import type { Host, HostWriter } from '../host/host.ts';
import { type Board, settle } from './board.ts';
import { readIfThere } from './file-text.ts';
import { problemText } from './problem.ts';

/** A CNI configuration that the agent wrote. */
export interface WrittenConflist {
  readonly path: string;
  readonly text: string;
}

export interface ConflistPlace {
  readonly host: Pick<Host, 'readFile'>;
  readonly path: string;
  readonly subnetFile: string;
}

/** Keeps the file of `--cni-conf`: without one, or with another's, pods get no network and nobody says why. */
export async function keepConflist(board: Board): Promise<void> {
  const { settings, parts } = board;
  const { cniConf: path, options } = settings;
  if (path === undefined) return;
  try {
    const place = { host: parts.host, path, subnetFile: options.subnetFile };
    const { verdict, written } = await ensureConflist({ ...place, writer: parts.writer });
    if (written !== undefined) {
      board.conflist = written;
      parts.log.info('wrote the CNI configuration', { path });
    }
    settle(board, 'cni-conf', verdict.kind === 'foreign' ? `${path} is left alone: ${verdict.reason}` : undefined);
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    settle(board, 'cni-conf', problemText(error));
  }
}

export interface EnsuredConflist {
  readonly verdict: ConflistVerdict;
  /** Absent: nothing was written. */
  readonly written?: WrittenConflist;
}

/** @throws {ConflictError} when somebody made the file just now; {OutputError} when it cannot be written. */
export async function ensureConflist(
  place: ConflistPlace & { readonly writer: Pick<HostWriter, 'writeFile' | 'createFile'> },
): Promise<EnsuredConflist> {
  const { path, subnetFile, writer } = place;
  const { verdict, before } = await lookAtConflist(place);
  if (verdict.kind !== 'write') return { verdict };
  const text = renderConflist({ subnetFile });
  await (before === undefined ? writer.createFile(path, text) : writer.writeFile(path, text));
  return { verdict, written: { path, text } };
}

/** What the file is, without touching it. */
export async function lookAtConflist({ host, path, subnetFile }: ConflistPlace) {
  const before = await readIfThere(host, path);
  return { verdict: judgeConflist(before, { subnetFile }), before };
}
