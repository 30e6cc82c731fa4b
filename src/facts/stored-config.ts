import { AbsentError, InputError, UnavailableError } from '../errors.ts';
import { checkNetworkConfig, parseNetworkConfig } from '../store/config.ts';
import { readGoObject } from '../store/go-json.ts';
import type { V2Look } from '../store/health.ts';
import type { SubnetStore } from '../store/store.ts';
import { escapeText } from '../store/untrusted-text.ts';
import { chosenDatastore, etcdSelectionFact, openHealth } from './etcd.ts';
import { type CollectContext, defineFact } from './fact.ts';

/** @throws {UnavailableError} also when a file of the way in, such as a CA, is not there: that is no missing record. */
export async function openDatastore(context: CollectContext): Promise<SubnetStore> {
  const selection = await chosenDatastore(context);
  try {
    return await context.openStore(selection);
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error;
    const name = selection.kind === 'kube' ? 'kubernetes' : selection.kind;
    throw new UnavailableError('unreachable', `${name} cannot be asked: ${error.message}`, { cause: error });
  }
}

/** The network configuration as it is stored, whether flannel takes it or not. */
export interface StoredConfig {
  readonly kind: SubnetStore['kind'];
  readonly text: string;
  /** The beginning of it as it may be shown. */
  readonly excerpt: string;
  /** A command or path the reader can repeat. */
  readonly source: string;
  /** What flannel's parser says against it; `null`: it takes it. */
  readonly refusal: string | null;
  /** What about the text is likely to have led to that: `a comma before }`. */
  readonly hints: readonly string[];
}

export const storedConfigFact = defineFact<StoredConfig>({
  name: 'stored-config',
  cost: 'passive',
  timeoutMs: 10_000,
  collect: async (context) => {
    const store = await openDatastore(context);
    const { text, source } = await store.readNetworkConfig();
    const refusal = refusalOf(text);
    const hints = refusal === null ? [] : hintsOf(text);
    return { kind: store.kind, text, excerpt: escapeText(text), source, refusal, hints };
  },
});

function refusalOf(text: string): string | null {
  try {
    parseNetworkConfig(text);
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^\ufeff/, 'a byte order mark before the first character'],
  [/,\s*[}\]]/, 'a comma before a closing bracket'],
  [/^\s*(\/\/|\/\*|#)/m, 'a comment'],
  [/[“”‘’]/, 'typographic quotation marks'],
  [/^\s*$/, 'nothing but white space'],
  [/^\s*'|[{,]\s*'/, "single quotation marks in the place of '\"'"],
  [/"(VNI|Port|MTU|(IPv6)?SubnetLen)"\s*:\s*"\d+"/i, 'a number in quotation marks'],
  [/"(IPv6)?Network"\s*:\s*"[^"/]*"/i, 'a network without the length of its prefix'],
];

function hintsOf(text: string): readonly string[] {
  return HINTS.filter(([pattern]) => pattern.test(text)).map(([, hint]) => hint);
}

/** A configuration that flannel parses, as far as checks judge it. */
export interface ParsedConfig {
  readonly kind: SubnetStore['kind'];
  readonly source: string;
  /** `absent`: flannel takes udp. `without-type`: flannel takes no backend at all and ends. */
  readonly backend: 'named' | 'absent' | 'without-type';
  /** Range rules of flannel that it breaks; with Kubernetes, which gives the subnets, none holds. */
  readonly rangeProblems: readonly string[];
}

/** `unknown` (`malformed`) when flannel refuses the document itself. */
export const parsedConfigFact = defineFact<ParsedConfig>({
  name: 'parsed-config',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { follows: 'stored-config' },
  collect: async (context) => {
    const { kind, text, source, refusal } = await context.get(storedConfigFact);
    if (refusal !== null) throw new UnavailableError('malformed', `${refusal} (${source})`);
    const { config } = parseNetworkConfig(text);
    const object = readGoObject(text);
    const hasBackend = 'members' in object && object.members.has('backend');
    const hasType = config.backend.type === 'vxlan' || config.backend.name !== '';
    const rangeProblems = kind === 'kube' ? [] : checkNetworkConfig(config).problems;
    return { kind, source, backend: hasBackend ? (hasType ? 'named' : 'without-type') : 'absent', rangeProblems };
  },
});

/** What the v2 API holds where the v3 API holds no configuration. */
export const v2ConfigFact = defineFact<V2Look | { readonly kind: 'not-asked' }>({
  name: 'v2-config',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another datastore than etcd' },
  collect: async (context) => {
    await context.get(etcdSelectionFact);
    return (await isConfigMissing(context)) ? (await openHealth(context)).v2Config() : { kind: 'not-asked' };
  },
});

/** Keys that others are known to have written their configuration to (manuals of CentOS and Atomic, kubeadm guides). */
const WELL_KNOWN = [
  '/coreos.com/network',
  '/flannel/network',
  '/kube-centos/network',
  '/kubernetes/network',
  '/atomic.io/network',
];

/** Near misses, where the configuration is missing: keys that look like it and that exist. At most a handful is asked for. */
export const configElsewhereFact = defineFact<readonly string[]>({
  name: 'config-elsewhere',
  cost: 'passive',
  timeoutMs: 10_000,
  absence: { normal: 'another datastore than etcd' },
  collect: async (context) => {
    const { prefix } = await context.get(etcdSelectionFact);
    if (!(await isConfigMissing(context))) return [];
    const own = `${prefix}/config`;
    const keys = new Set([
      own.replace(/^\//, ''),
      `${own}/`,
      `${prefix}//config`,
      `/${own}`,
      ...WELL_KNOWN.map((other) => `${other}/config`),
    ]);
    keys.delete(own);
    const found = await (await openHealth(context)).existing([...keys]);
    return found.map((key) => escapeText(key));
  },
});

async function isConfigMissing(context: CollectContext): Promise<boolean> {
  const stored = await context.observe(storedConfigFact);
  if (stored.status === 'unknown') await context.get(storedConfigFact);
  return stored.status === 'absent';
}
