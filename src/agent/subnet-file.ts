import { type Preparation, subnetEnvOf } from '../dataplane/program.ts';
import { FlannelctlError } from '../errors.ts';
import { type Board, settle } from './board.ts';
import { readIfThere } from './file-text.ts';
import { problemText } from './problem.ts';

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
