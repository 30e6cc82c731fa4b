import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An agent or flanneld under measurement. */
export interface RunningAgent {
  readonly pid: number;
  /** Milliseconds from the start of the process. */
  untilRoutes(count: number): Promise<number>;
  stop(): Promise<void>;
}

export function startAgent(command: readonly string[], folder: string): RunningAgent {
  const log = openSync(join(folder, 'agent.log'), 'w');
  const [program = '', ...args] = command;
  const startedAt = performance.now();
  const flags = ['--etcd-endpoints=http://127.0.0.1:2379', '--iface=u0', '--iptables-forward-rules=false'];
  const child: ChildProcess = spawn(program, [...args, ...flags], { stdio: ['ignore', log, log] });
  closeSync(log);
  return {
    pid: child.pid ?? 0,
    untilRoutes: async (count) => {
      while (routesOn('flannel.1') < count) {
        if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'agent.log'), 'utf8').slice(-2000));
        if (performance.now() - startedAt > 120_000)
          throw new Error(`only ${routesOn('flannel.1')} routes after 120 s`);
        await sleep(5);
      }
      return performance.now() - startedAt;
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** /proc/net/route of this namespace: reading it costs no process. */
function routesOn(device: string): number {
  return readFileSync('/proc/self/net/route', 'utf8').split(`\n${device}\t`).length - 1;
}

/** User and system time of the process and of the children it has reaped. Clock ticks are 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]) * 10, 0);
}
