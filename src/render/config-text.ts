import type { ConfigDifference } from '../leases/config-change.ts';
import type { NetworkConfig } from '../store/config.ts';
import { API } from './lease-document.ts';
import { printable } from './printable.ts';
import { safeJson } from './safe-json.ts';

export interface ConfigReport {
  readonly source: string;
  /** `null`: it is not in a datastore. */
  readonly revision: string | null;
  /** As stored, or as in the file. */
  readonly text: string;
  readonly config: NetworkConfig | null;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** The document `NetworkConfig`. `effective` is what flannel makes of it, defaults filled in. */
export function configDocument({ source, revision, text, config, problems, warnings }: ConfigReport) {
  return {
    ...{ ...API, kind: 'NetworkConfig', source, revision },
    valid: problems.length === 0,
    config: parsedOrNull(text),
    effective: config,
    problems,
    warnings,
    text,
  };
}

/** The text as it is stored; what a terminal would act on comes as an escape, which in JSON is another spelling of the same. */
export function storedText(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** `- Backend.Type "udp"`, `+ Backend.Type "vxlan"`. */
export function renderDifferences(differences: readonly ConfigDifference[]): string {
  return differences
    .flatMap(({ path, before, after }) => [
      ...(before === null ? [] : [`- ${path} ${before}`]),
      ...(after === null ? [] : [`+ ${path} ${after}`]),
    ])
    .map((line) => printable(line))
    .join('\n');
}

export function renderConfigJson(document: object): string {
  return safeJson(document, 2);
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
