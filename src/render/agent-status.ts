import type { DownResult } from '../agent/down.ts';
import type { OverlayStatus } from '../agent/status.ts';

export interface AgentReport {
  readonly overlay: OverlayStatus;
  /** What the running agent says of itself; `null`: none runs here. */
  readonly agent: unknown;
}

/** 0 in order, 1 drift, 2 something could not be looked at, 3 down. */
export function statusExitCode({ status }: OverlayStatus): 0 | 1 | 2 | 3 {
  switch (status) {
    case 'in-order':
      return 0;
    case 'drift':
      return 1;
    case 'unknown':
      return 2;
    case 'down':
      return 3;
  }
}

/** The document of `status -o json`. */
export function agentStatusDocument({ overlay, agent }: AgentReport) {
  const head = { apiVersion: 'flannelctl.dev/v1', kind: 'AgentStatus', exitCode: statusExitCode(overlay), agent };
  if (overlay.status === 'down') return { ...head, status: overlay.status, reason: overlay.reason };
  const { publicIp, publicIpv6, lease, ...rest } = overlay;
  return { ...head, ...rest, publicIP: publicIp, publicIPv6: publicIpv6, lease };
}

/** What `status` says, quiet when all is well. */
export function renderAgentStatus({ overlay, agent }: AgentReport): string {
  const running = agent === null ? 'no agent runs here' : 'the agent runs';
  if (overlay.status === 'down') return `down: ${overlay.reason}; ${running}`;
  const { subnet, ipv6Subnet, publicIp, publicIpv6, iface, peers, drift, unknown, ignored, source } = overlay;
  const subnets = [subnet, ipv6Subnet].filter((one) => one !== null).join(' and ') || 'no subnet';
  const head = `${overlay.status}: ${subnets} on ${iface} ${publicIp ?? publicIpv6}, ${peers} peers; ${running}`;
  const lines = drift.map(({ verb, kind, commands, holder }) => {
    const held = holder === undefined ? '' : ` (in its place: ${holder})`;
    return `  ${verb} ${kind}: ${commands.join('; ')}${held}`;
  });
  const open = unknown.map((what) => `  not looked at: ${what}`);
  const problems = problemsOf(agent).map((problem) => `  the agent: ${problem}`);
  const left = ignored.map(({ key, reason }) => `  ignored lease ${JSON.stringify(key)}: ${reason}`);
  return [head, ...lines, ...open, ...problems, ...left, `leases: ${source}`].join('\n');
}

/** What the agent says is wrong; none from an agent that says nothing. */
function problemsOf(agent: unknown): readonly string[] {
  if (typeof agent !== 'object' || agent === null || !('problems' in agent) || !Array.isArray(agent.problems))
    return [];
  return agent.problems.map(String);
}

/** What `down` says. */
export function renderDown({ removed, left }: DownResult): string {
  const lines = [...removed.map((what) => `removed ${what}`), ...left.map((what) => `left ${what}`)];
  return lines.length === 0 ? 'nothing to take down' : lines.join('\n');
}

/** The document of `down -o json`. */
export function downDocument({ removed, left }: DownResult) {
  return { apiVersion: 'flannelctl.dev/v1', kind: 'OverlayRemoval', removed, left };
}
