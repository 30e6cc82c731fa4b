/** What a systemd service says about how its program is started; specifiers other than `%%` stay as they are. */
export interface UnitFile {
  /** ExecStart= lines as written, prefixes taken off. */
  readonly commands: readonly string[];
  /** Environment=, in order. */
  readonly environment: ReadonlyMap<string, string>;
  readonly environmentFiles: readonly { readonly path: string; readonly isOptional: boolean }[];
}

/** Reads a unit and its drop-ins, in that order, as one (systemd.unit(5)); an empty value takes back what was said before. */
export function parseUnit(texts: readonly string[]): UnitFile {
  const commands: string[] = [];
  const environmentFiles: { path: string; isOptional: boolean }[] = [];
  let environment = new Map<string, string>();
  for (const [key, value] of texts.flatMap(serviceSettings)) {
    if (key === 'ExecStart') put(commands, value, value.replace(/^[-@:+!|]+/, ''));
    if (key === 'EnvironmentFile') {
      put(environmentFiles, value, { path: value.replace(/^-/, ''), isOptional: value.startsWith('-') });
    }
    if (key === 'Environment' && value === '') environment = new Map();
    if (key === 'Environment') for (const pair of splitWords(value)) assign(environment, pair);
  }
  return { commands, environment, environmentFiles };
}

/** The file of EnvironmentFile=: assignments, a line each, quoted or not; `#` and `;` begin comments. */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of logicalLines(text, '')) {
    const [, name, value] = /^\s*([A-Za-z_]\w*)=([\s\S]*)$/.exec(line) ?? [];
    if (name !== undefined) variables.set(name, unquote((value ?? '').trim()));
  }
  return variables;
}

/** Words of a command as systemd splits and expands them: `${VAR}` within a word, `$VAR` alone as any number of words. */
export function commandWords(command: string, variables: ReadonlyMap<string, string>): readonly string[] {
  return splitWords(command).flatMap((word) => {
    const alone = /^\$([A-Za-z_]\w*)$/.exec(word)?.[1];
    if (alone !== undefined) return splitWords(variables.get(alone) ?? '');
    return [
      word.replace(/\$\$|\$\{([A-Za-z_]\w*)\}/g, (_, name?: string) =>
        name === undefined ? '$' : (variables.get(name) ?? ''),
      ),
    ];
  });
}

/** Splits at white space outside quotes; a backslash takes the next character as it is. */
export function splitWords(text: string): readonly string[] {
  const words = text.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\\[\s\S]|[^\s"'\\]|["'])+/g) ?? [];
  return words.map(unquote).map((word) => word.replaceAll('%%', '%'));
}

function put<T>(list: T[], raw: string, item: T): void {
  if (raw === '') list.length = 0;
  else list.push(item);
}

function assign(variables: Map<string, string>, pair: string): void {
  const cut = pair.indexOf('=');
  if (cut > 0) variables.set(pair.slice(0, cut), pair.slice(cut + 1));
}

function serviceSettings(text: string): readonly (readonly [key: string, value: string])[] {
  const settings: (readonly [string, string])[] = [];
  let section = '';
  for (const line of logicalLines(text, ' ')) {
    section = /^\s*\[([^\]]*)\]\s*$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^\s*([A-Za-z]+)\s*=\s*([\s\S]*?)\s*$/.exec(line) ?? [];
    if (section === 'Service' && key !== undefined) settings.push([key, value ?? '']);
  }
  return settings;
}

/** A backslash at the end joins lines, in units with a space; comments in between do not end it (systemd.syntax(7)). */
function logicalLines(text: string, joint: string): readonly string[] {
  const lines: string[] = [];
  let begun: string | undefined;
  for (const line of text.split('\n').map((raw) => raw.replace(/\r$/, ''))) {
    if (/^\s*[#;]/.test(line)) continue;
    const whole = begun === undefined ? line : `${begun}${joint}${line}`;
    begun = whole.endsWith('\\') ? whole.slice(0, -1) : undefined;
    if (begun === undefined) lines.push(whole);
  }
  return begun === undefined ? lines : [...lines, begun];
}

function unquote(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'|\\([\s\S])/g,
    (_, ...groups: (string | undefined)[]) => {
      const [double, single, escaped] = groups;
      return escaped ?? (double ?? single ?? '').replace(/\\([\s\S])/g, '$1');
    },
  );
}
