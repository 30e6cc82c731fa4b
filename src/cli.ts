import { Config, Errors, type Interfaces, run } from '@oclif/core';
import packageJson from '../package.json' with { type: 'json' };
import { type Called, calledCommand } from './called-command.ts';
import { EMBEDDED_ROOT, embeddedPlugin } from './embedded-plugin.ts';
import { OutputError } from './errors.ts';
import { asksForJson, failureOf, names } from './failure.ts';
import { wrongUsage } from './wrong-usage.ts';

/** Runs the command line (without program names) and leaves the result in `process.exitCode`. Never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', endOfOutput);
  process.stderr.on('error', endOfOutput);
  process.once('uncaughtException', (error) => {
    tell(error, argv);
    process.exit();
  });
  try {
    await dispatch(await loadConfig(), argv);
  } catch (error) {
    tell(error, argv);
  }
}

async function loadConfig(): Promise<Config> {
  // Else oclif would take colours from a file in the home directory, which under sudo may be anybody's.
  process.env['FLANNELCTL_DISABLE_THEME'] = 'true';
  const { name, version, description, oclif } = packageJson;
  const settings: Interfaces.PJSON['oclif'] = { ...oclif, topicSeparator: ' ', additionalHelpFlags: ['-h'] };
  const plugin = embeddedPlugin({ name, version, description, oclif: settings });
  return Config.load({ root: EMBEDDED_ROOT, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]]) });
}

async function dispatch(config: Config, argv: readonly string[]): Promise<void> {
  if (names(argv, ['--version', '-version'])) {
    process.stdout.write(`${config.userAgent}\n`);
    return;
  }
  const isHelp = argv.length === 0 || names(argv, HELP);
  const called = calledCommand(isHelp ? argv.filter((word) => !HELP.includes(word)) : argv, config.commandIDs);
  if (isHelp || called.kind === 'topic') await run([...argv], config);
  else await runCommand(config, called);
}

const HELP = ['--help', '-h'];

/** Past oclif's own search, which would take an argument for a part of the command's name. */
async function runCommand(config: Config, { id, argv }: Extract<Called, { kind: 'command' }>): Promise<void> {
  const command = config.findCommand(id, { must: true });
  try {
    await config.runCommand(id, [...argv], command);
  } catch (error) {
    throw wrongUsage(error, { name: id.replaceAll(':', ' '), flags: Object.keys(command.flags) });
  }
}

/** A reader that went away (`| head -1`) is no error: what is left to say is dropped, the work goes on to its end. */
function endOfOutput(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function tell(thrown: unknown, argv: readonly string[]): void {
  if (thrown instanceof Errors.ExitError) {
    process.exitCode = thrown.oclif.exit ?? 0;
    return;
  }
  const error = ofOutput(thrown);
  const failure = failureOf(error, { debug: names(argv, ['--debug']) });
  process.exitCode = failure.exitCode;
  process.stderr.write(`${failure.text}\n`);
  if (asksForJson(argv) && error === thrown) process.stdout.write(`${JSON.stringify(failure.document, null, 2)}\n`);
}

/** A full disk behind `> file`: streams of the process throw it as it is, and adapters never do. */
function ofOutput(thrown: unknown): unknown {
  const isWrite = thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'write';
  return isWrite ? new OutputError(`the output cannot be written: ${thrown.message}`, { cause: thrown }) : thrown;
}
