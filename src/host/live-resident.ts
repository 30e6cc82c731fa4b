import { askHolder, holdName } from './live-lock.ts';
import { releaseMemory } from './live-memory.ts';
import { followProgram } from './live-monitor.ts';
import { notifySystemd, watchdogMs } from './live-notify.ts';
import { serveHttp } from './live-serve.ts';
import type { Resident } from './resident.ts';

/** This machine, for a process that stays. */
export function liveResident(): Resident {
  return {
    follow: followProgram,
    serve: serveHttp,
    hold: holdName,
    ask: askHolder,
    notify: notifySystemd,
    releaseMemory,
    watchdogMs: watchdogMs(),
  };
}
