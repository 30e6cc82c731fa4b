import { applyPlan } from '../dataplane/apply.ts';
import { renderOperation } from '../dataplane/batch.ts';
import type { OverlayPlan } from '../dataplane/entry.ts';
import { FlannelctlError } from '../errors.ts';
import type { HostWriter } from '../host/host.ts';
import type { Action, Remedy } from './check.ts';
import type { Diagnosis } from './diagnose.ts';
import { type FixSection, toldFindings } from './report.ts';

/** What `--fix` would do about one root cause. */
export interface RepairStep {
  readonly check: string;
  readonly automatic: Exclude<Remedy['automatic'], 'no'>;
  readonly actions: readonly Action[];
  /** The same as commands, for the reader to judge before anything is written. */
  readonly lines: readonly string[];
}

/** The repairs of the root causes that a tool may carry out; consequences end with their cause. */
export function planRepair({ rootCauses }: Diagnosis, suppressed: ReadonlySet<string>): readonly RepairStep[] {
  return rootCauses.flatMap(({ failure }) => {
    const remedies = toldFindings(failure).flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
    const carried = remedies.filter(({ automatic, actions }) => automatic !== 'no' && actions.length > 0);
    const actions = carried.flatMap((remedy) => remedy.actions);
    const { id } = failure.outcome.check;
    if (actions.length === 0 || suppressed.has(id)) return [];
    const automatic = carried.every((remedy) => remedy.automatic === 'yes') ? 'yes' : 'ask';
    return [{ check: id, automatic, actions, lines: actions.flatMap(describeAction) }];
  });
}

/** The action as a command that does the same by hand. */
export function describeAction(action: Action): readonly string[] {
  switch (action.kind) {
    case 'overlay':
      return action.operations.flatMap((operation) => renderOperation(operation));
    case 'sysctl':
      return [`sysctl -w ${action.name}=${action.value}`];
    case 'file':
      return [
        `write ${action.path}:`,
        ...action.content
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ];
  }
}

export interface RepairPorts {
  readonly writer: HostWriter;
  /** Reads the kernel anew: what is still in the plan after a repair is what failed. */
  readonly reobserve: () => Promise<OverlayPlan>;
}

/** Carries out the steps one after the other; one that fails is told and leaves the others standing. */
export async function applyRepair(steps: readonly RepairStep[], ports: RepairPorts): Promise<readonly FixSection[]> {
  const fixes: FixSection[] = [];
  for (const step of steps) fixes.push(await applyStep(step, ports));
  return fixes;
}

async function applyStep(step: RepairStep, ports: RepairPorts): Promise<FixSection> {
  const base = { check: step.check, actions: step.lines };
  try {
    for (const action of step.actions) await applyAction(action, ports);
    return { ...base, status: 'applied' };
  } catch (error) {
    if (!(error instanceof FlannelctlError)) throw error;
    return { ...base, status: 'failed', message: error.message };
  }
}

async function applyAction(action: Action, { writer, reobserve }: RepairPorts): Promise<void> {
  switch (action.kind) {
    case 'overlay':
      await applyPlan({ writer, reobserve, plan: { operations: action.operations } });
      return;
    case 'sysctl':
      await writer.writeSysctl(action.name, action.value);
      return;
    case 'file':
      await writer.writeFile(action.path, action.content, { mode: action.mode });
      return;
  }
}
