import * as v from 'valibot';
import { UnavailableError } from '../errors.ts';
import type { ExecResult } from '../host/host.ts';
import type { DrillNode } from './fault.ts';

/** What doctor said of one node, as far as the drill judges it. */
export interface Examination {
  readonly exitCode: number;
  readonly verdict: string;
  readonly roots: readonly string[];
  /** Every check that failed, roots among them. */
  readonly failing: readonly string[];
  readonly unknown: readonly string[];
}

const schema = v.object({
  kind: v.literal('DoctorReport'),
  verdict: v.object({ status: v.string() }),
  rootCauses: v.array(v.object({ id: v.string() })),
  checks: v.array(v.object({ id: v.string(), status: v.string() })),
});

const TIMEOUT_MS = 90_000;

/** Runs the executable in the node, as its user would. */
export async function examine(node: DrillNode, program: string, flags: readonly string[] = []): Promise<Examination> {
  const result = await node.exec([program, 'doctor', '-o', 'json', ...flags], { timeoutMs: TIMEOUT_MS });
  return parseExamination(node.name, result);
}

/** @throws {UnavailableError} `malformed` when it is no report: doctor itself failed. */
export function parseExamination(node: string, { exitCode, stdout, stderr }: ExecResult): Examination {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), stdout);
  if (!parsed.success) {
    const said = (stderr.trim() || stdout.trim()).slice(0, 400);
    throw new UnavailableError('malformed', `doctor gave no report in ${node} (exit ${exitCode}): ${said}`);
  }
  const { verdict, rootCauses, checks } = parsed.output;
  const withStatus = (status: string) => checks.filter((check) => check.status === status).map(({ id }) => id);
  return {
    exitCode,
    verdict: verdict.status,
    roots: rootCauses.map(({ id }) => id),
    failing: withStatus('fail'),
    unknown: withStatus('unknown'),
  };
}

/** Exit 0 and nothing that failed, not even a warning. */
export function isHealthy({ exitCode, verdict, failing }: Examination): boolean {
  return exitCode === 0 && verdict === 'healthy' && failing.length === 0;
}

/** What is wrong with the nodes, for a person; empty when all are healthy. */
export function complaints(nodes: readonly DrillNode[], examinations: readonly Examination[]): readonly string[] {
  return examinations.flatMap((examination, at) => {
    if (isHealthy(examination)) return [];
    const { exitCode, verdict, failing, unknown } = examination;
    const said = [...failing, ...unknown.map((id) => `${id}?`)].join(' ');
    return [`node ${nodes[at]?.index ?? at + 1}: ${verdict}, exit ${exitCode}: ${said}`];
  });
}
