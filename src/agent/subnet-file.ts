import { type Preparation, subnetEnvOf } from '../dataplane/program.ts';
import { FlannelctlError } from '../errors.ts';
import { type Board, settle } from './board.ts';
import { readIfThere } from './file-text.ts';
import { problemText } from './problem.ts';

/** Whether somebody changed or removed it since the last round: the kernel tells nobody. Not while it is a problem anyway. */
export async function isSubnetFileChanged({ lastRound, problems, parts, settings }: Board): Promise<boolean> {
  if (lastRound?.subnetEnv === undefined || problems.has('subnet-file')) return false;
  try {
    return (await readIfThere(parts.host, settings.options.subnetFile)) !== lastRound.subnetEnv;
  } catch (error) {
    // the round says what is wrong with it
    if (error instanceof FlannelctlError) return true;
    throw error;
  }
}

/**
 * Keeps subnet.env as it should be; CNI reads it for each new pod. Not while another host holds the subnet: a pod that starts now would
 * get an address that is not this node's.
 *
 * @returns the text that belongs there; `undefined`: there is no lease.
 */
export async function keepSubnetFile(board: Board, preparation: Preparation): Promise<string | undefined> {
  const { own, parts, settings } = board;
  if (own.status === 'none' || own.status === 'conflict') return undefined;
  const { host, writer, log } = parts;
  const path = settings.options.subnetFile;
  const text = subnetEnvOf({ config: board.config, underlay: preparation.underlay }, own.lease, settings.options);
  try {
    if ((await readIfThere(host, path)) !== text) {
      await writer.writeFile(path, text);
      log.info('wrote the subnet file', { path });
    }
    settle(board, 'subnet-file', undefined);
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    settle(board, 'subnet-file', problemText(error));
  }
  return text;
}
