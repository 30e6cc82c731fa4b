import { UnavailableError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { Discovery } from './discovery.ts';
import { type FlanneldSettings, mergeSettings, parseEnvironment, parseFlags } from './flanneld-flags.ts';
import { baseName, knownProgram } from './program-name.ts';
import { readDirIfThere, readFileIfThere } from './read-if-there.ts';
import { commandWords, parseEnvironmentFile, parseUnit, splitWords, type UnitFile } from './unit-file.ts';

/** A service that starts flanneld, our agent, k3s or rke2. */
export interface FlannelUnit {
  readonly name: string;
  readonly program: string;
  /** Words after the program. */
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** In the order of systemd.unit(5): a unit in the first directory hides those of the same name in the others. */
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Of all units here, the service that would start flannel and does not run. */
export function discoverUnit(units: readonly FlannelUnit[]): Discovery | undefined {
  const unit = units.find(({ program }) => program === 'flanneld') ?? units.find(isAgentUnit);
  if (unit === undefined) return undefined;
  return {
    deployment: unit.program === 'flanneld' ? 'systemd' : 'flannelctl',
    process: null,
    unit: unit.name,
    settings: settingsOf(unit),
    source: unit.name,
    knowsDatastore: true,
    pathPrefix: '',
    kube: {},
    version: null,
  };
}

/** All units that start a program that can own the overlay. */
export async function listUnits(host: Host): Promise<readonly FlannelUnit[]> {
  const listings = await Promise.all(
    UNIT_DIRECTORIES.map(async (directory) =>
      (await readDirIfThere(host, directory)).map((name) => [name, `${directory}/${name}`] as const),
    ),
  );
  const chosen = new Map(listings.toReversed().flat());
  const services = Array.from(chosen).filter(([name]) => name.endsWith('.service'));
  const units = await Promise.all(
    services.map(async ([name, path]) => readUnit(host, name, await readUnitText(host, path))),
  );
  return units.filter((unit) => unit !== undefined);
}

/** The unit of that name, when it starts a program that can own the overlay. */
export async function findUnit(host: Host, name: string): Promise<FlannelUnit | undefined> {
  const texts = await Promise.all(UNIT_DIRECTORIES.map((directory) => readUnitText(host, `${directory}/${name}`)));
  return readUnit(
    host,
    name,
    texts.find((text) => text !== undefined),
  );
}

async function readUnit(host: Host, name: string, text: string | undefined): Promise<FlannelUnit | undefined> {
  // Cheap before thorough: a host has hundreds of units.
  if (text === undefined || !/flannel|k3s|rke2/.test(text)) return undefined;
  const unit = parseUnit([text, ...(await readDropIns(host, name))]);
  const variables = await readVariables(host, unit);
  const command = unit.commands.map((line) => commandOf(commandWords(line, variables))).find((found) => found);
  return command === undefined ? undefined : { name, ...command, environment: variables };
}

/** A masked unit is a link to /dev/null: it is there, and says nothing. */
async function readUnitText(host: Host, path: string): Promise<string | undefined> {
  try {
    return await readFileIfThere(host, path);
  } catch (error) {
    if (error instanceof UnavailableError && error.reason === 'unsupported') return '';
    throw error;
  }
}

async function readDropIns(host: Host, name: string): Promise<readonly string[]> {
  const listings = await Promise.all(
    UNIT_DIRECTORIES.map(async (directory) => {
      const files = await readDirIfThere(host, `${directory}/${name}.d`);
      return files
        .filter((file) => file.endsWith('.conf'))
        .map((file) => [file, `${directory}/${name}.d/${file}`] as const);
    }),
  );
  // The first directory wins by file name; then they apply in the order of their names.
  const chosen = new Map(listings.toReversed().flat());
  const paths = Array.from(chosen).sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = await Promise.all(paths.map(([, path]) => readUnitText(host, path)));
  return texts.map((text) => text ?? '');
}

/** Files override Environment=, later ones earlier ones (systemd.exec(5)). */
async function readVariables(host: Host, unit: UnitFile): Promise<ReadonlyMap<string, string>> {
  const texts = await Promise.all(unit.environmentFiles.map(({ path }) => readFileIfThere(host, path)));
  const files = texts.map((text) => parseEnvironmentFile(text ?? ''));
  return new Map([unit.environment, ...files].flatMap((variables) => Array.from(variables)));
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Finds the program in a command, also behind `sh -c` or a container runtime. */
function commandOf(words: readonly string[]): Command | undefined {
  const all = words.flatMap((word, index) => (words[index - 1] === '-c' ? splitWords(word) : [word]));
  const index = all.findIndex((word) => programOf(word) !== undefined);
  const program = programOf(all[index] ?? '');
  return program === undefined ? undefined : { program, args: all.slice(index + 1) };
}

/** The package of Fedora and RHEL starts flanneld through a script of its own. */
function programOf(word: string): string | undefined {
  if (baseName(word) === 'flanneld-start') return 'flanneld';
  const program = knownProgram(word);
  return program !== undefined && ['flanneld', 'flannelctl', 'k3s', 'rke2'].includes(program) ? program : undefined;
}

function isAgentUnit({ program, args }: FlannelUnit): boolean {
  return program === 'flannelctl' && args.includes('up');
}

function settingsOf({ program, args, environment }: FlannelUnit): FlanneldSettings {
  const flags = parseFlags(program === 'flannelctl' ? args.slice(args.indexOf('up') + 1) : args);
  return mergeSettings(mergeSettings(flags, parseEnvironment(environment)), packagedSettings(environment));
}

/** /etc/sysconfig/flanneld names these two without flanneld's own prefix; flanneld-start turns them into flags. */
function packagedSettings(environment: ReadonlyMap<string, string>): FlanneldSettings {
  const endpoints = environment.get('FLANNEL_ETCD_ENDPOINTS') ?? '';
  const prefix = environment.get('FLANNEL_ETCD_PREFIX') ?? '';
  return {
    options: {
      ...(endpoints === '' ? {} : { etcdEndpoints: endpoints.split(',') }),
      ...(prefix === '' ? {} : { etcdPrefix: prefix }),
    },
    etcdPassword: undefined,
  };
}
