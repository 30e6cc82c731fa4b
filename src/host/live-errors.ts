import { AbsentError, type FlannelctlError, UnavailableError } from '../errors.ts';

/** `ENOENT` and its like; `''` for what is no system error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What a failed look at a path means: not there, not allowed, or not possible. */
export function readFailure(error: unknown, path: string): FlannelctlError {
  const code = errorCode(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    // A process that ended between two looks at its /proc files.
    case 'ESRCH':
    case 'ENXIO':
      return new AbsentError(`${path} does not exist`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new UnavailableError('permission', `no permission to read ${path}`, {
        cause: error,
        hint: 'Run it as root.',
      });
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return new UnavailableError('malformed', `${path} leads nowhere (${code})`, { cause: error });
    case 'ETIMEDOUT':
      return new UnavailableError('timeout', `${path} did not answer`, { cause: error });
    default:
      return new UnavailableError('unsupported', `${path} cannot be read (${code || String(error)})`, { cause: error });
  }
}
