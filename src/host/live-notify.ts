import { execFile } from 'node:child_process';
import { UnavailableError } from '../errors.ts';
import { PROGRAM_ENVIRONMENT } from './live-exec.ts';

const NOTIFY_MS = 5000;

/**
 * Through systemd-notify, as Node has no datagram socket of the unix kind: the unit needs NotifyAccess=all.
 * @throws {UnavailableError} when systemd-notify could not tell it.
 */
export function notifySystemd(...states: readonly string[]): Promise<void> {
  const { NOTIFY_SOCKET } = process.env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return Promise.resolve();
  const env = { ...PROGRAM_ENVIRONMENT, NOTIFY_SOCKET };
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...states], { env, timeout: NOTIFY_MS }, (error) => {
      if (error === null) return resolve();
      reject(new UnavailableError('unsupported', `systemd could not be told ${states.join(', ')}`, { cause: error }));
    });
  });
}

/** WATCHDOG_USEC holds for the process that WATCHDOG_PID names, or for any (sd_watchdog_enabled(3)). */
export function watchdogMs(): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined;
  const microseconds = Number(WATCHDOG_USEC);
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : undefined;
}
