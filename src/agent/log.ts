import type { Clock } from '../host/clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** What the agent says, one line an event. Never a secret: neither passwords nor keys are handed to it. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Lines in logfmt: `time=… level=info msg="…" key=value`. */
export function logfmt(clock: Clock, write: (line: string) => void, options: { readonly debug: boolean }): Log {
  const say =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const head = { time: new Date(clock.now()).toISOString(), level, msg: message };
      write(
        Object.entries({ ...head, ...fields })
          .map(pair)
          .join(' '),
      );
    };
  return {
    debug: options.debug ? say('debug') : () => undefined,
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
  };
}

function pair([name, value]: readonly [string, string | number | boolean | null]): string {
  const text = String(value);
  return `${name}=${/^[\w.:/@,+-]+$/.test(text) ? text : JSON.stringify(text).replaceAll(CONTROL, escapeUnit)}`;
}

/** What JSON leaves as it is and a terminal would obey. */
const CONTROL = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
