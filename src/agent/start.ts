import { prepareNode, type ReadPreparation } from '../dataplane/program.ts';
import type { FlannelctlError } from '../errors.ts';
import { maskText } from '../host/secrets.ts';
import { type AgentParts, type Board, makeBoard } from './board.ts';
import { isUnanswered, problemText } from './problem.ts';
import { readConfig, remember, silenceOf } from './remembered.ts';
import type { AgentSettings } from './settings.ts';

/**
 * Reads configuration and node, from the datastore or, where it does not answer, from what is remembered. Nothing has been written.
 *
 * @throws {FlannelctlError} when neither is to be had, or no interface can be chosen.
 */
export async function startBoard(parts: AgentParts, settings: AgentSettings): Promise<Board> {
  const read = await readConfig(parts.store);
  if ('problem' in read) return startFromMemory(parts, settings, read.problem);
  // What this host does not answer is no reason to go on without the datastore.
  const preparation = await prepareNode(read.config, { options: settings.options, host: parts.host });
  return orFromMemory(boardOn({ parts, settings, preparation, configText: read.configText }));
}

/** In Kubernetes the configuration is a file: it can be read while the API is silent. Without a state the agent waits for the API. */
async function orFromMemory(board: Board): Promise<Board> {
  const { parts, settings } = board;
  const problem = await silenceOf(parts.store, board.wanted);
  if (problem === undefined) return board;
  try {
    return await startFromMemory(parts, settings, problem);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    parts.log.warn('waiting for the Kubernetes API', { error: problemText(error) });
    return board;
  }
}

interface Known {
  readonly parts: AgentParts;
  readonly settings: AgentSettings;
  readonly preparation: ReadPreparation;
  readonly configText: string;
}

function boardOn({ parts, settings, preparation, configText }: Known): Board {
  const { config, underlay, request } = preparation;
  parts.log.info('chose the interface', {
    device: underlay.device,
    publicIp: underlay.publicIp ?? underlay.publicIpv6,
    because: underlay.because,
  });
  const start = { config, configText, underlay, wanted: request.attributes };
  return makeBoard({ parts, settings, start });
}

async function startFromMemory(parts: AgentParts, settings: AgentSettings, problem: FlannelctlError): Promise<Board> {
  const { memory, preparation, own } = await remember({ parts, settings }, problem);
  const board = boardOn({ parts, settings, preparation, configText: memory.config });
  board.own = { status: 'remembered', lease: own };
  board.book.remember(memory.records, memory.clusterId);
  parts.log.error(
    'STARTING WITHOUT A DATASTORE: entries are added and corrected, nobody is removed, until it answers',
    {
      from: memory.source,
      problem: maskText(problemText(problem)),
    },
  );
  return board;
}
