import { parseGoBoolean } from './facts/flanneld-flags.ts';

/** A flag that may be given by a variable. */
export interface EnvironmentFlag {
  readonly type: 'boolean' | 'option';
  readonly env?: string;
}

export interface GoEnvironment {
  /** What a variable has to say for our parser to understand it as flanneld does; `undefined`: it counts as not set. */
  readonly values: ReadonlyMap<string, string | undefined>;
  /** What was ignored, a sentence each. */
  readonly ignored: readonly string[];
}

const PREFIX = 'FLANNELD_';

/**
 * `FLANNELD_*` as flanneld reads them: booleans in Go's words, an empty one not set, one that does not parse told and ignored
 * (coreos/pkg flagutil.SetFlagsFromEnv).
 */
export function fromGoEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, EnvironmentFlag>>,
  integers: ReadonlySet<string>,
): GoEnvironment {
  const values = new Map<string, string | undefined>();
  const ignored: string[] = [];
  for (const [name, { type, env }] of Object.entries(flags)) {
    const value = environment[env ?? ''];
    if (env?.startsWith(PREFIX) !== true || value === undefined) continue;
    const read = readValue(value, type === 'boolean' ? 'boolean' : integers.has(name) ? 'integer' : 'text');
    values.set(env, read);
    if (read === undefined && value !== '')
      ignored.push(
        `${env} is ignored: ${JSON.stringify(value.slice(0, 60))} is no ${type === 'boolean' ? 'boolean' : 'integer'}`,
      );
  }
  return { values, ignored };
}

function readValue(value: string, kind: 'boolean' | 'integer' | 'text'): string | undefined {
  if (value === '') return undefined;
  switch (kind) {
    case 'boolean':
      return parseGoBoolean(value)?.toString();
    case 'integer':
      return /^[+-]?\d+$/.test(value) ? value : undefined;
    case 'text':
      return value;
  }
}
