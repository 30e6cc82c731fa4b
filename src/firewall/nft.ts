import { UnavailableError } from '../errors.ts';
import { isObject, type Json, listAt, numberAt, objectAt, textAt } from './json.ts';
import { parseElements } from './nft-element.ts';
import { parseRules } from './nft-rule.ts';
import type { NftText } from './nft-text.ts';
import { printable } from './quote.ts';
import type { BaseChain, Chain, Element, Hook, Rule, Ruleset, TableFamily } from './ruleset.ts';

export const EMPTY_RULESET: Ruleset = { chains: [], sets: {} };

/**
 * The ruleset as `nft -j list ruleset` prints it (libnftables-json(5)); nothing at all is an empty one.
 * @throws {UnavailableError} `malformed` when it is no such document.
 */
export function parseNftRuleset(json: string, text: NftText): Ruleset {
  if (json.trim() === '') return EMPTY_RULESET;
  const objects = objectsOf(json);
  const maps = new Map(objects.flatMap((object) => named(object, 'map')));
  const rules = Map.groupBy(bodiesOf(objects, 'rule'), chainKey);
  return {
    chains: bodiesOf(objects, 'chain').map((chain) =>
      parseChain(chain, rules.get(keyOf(chain, 'name')) ?? [], { maps, text }),
    ),
    sets: Object.fromEntries(objects.flatMap((object) => named(object, 'set')).flatMap(parseSet)),
  };
}

function objectsOf(text: string): readonly Json[] {
  const document = parseJson(text);
  if (!isObject(document) || !Array.isArray(document['nftables'])) throw malformed('it has no list "nftables"');
  return document['nftables'].filter(isObject);
}

function bodiesOf(objects: readonly Json[], kind: 'chain' | 'rule'): readonly Json[] {
  return objects.flatMap((object) => {
    const body = objectAt(object, kind);
    return body === undefined ? [] : [body];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(cause instanceof Error ? printable(cause.message) : 'it is no JSON');
  }
}

function malformed(why: string): UnavailableError {
  return new UnavailableError('malformed', `nft -j list ruleset printed something else than a ruleset: ${why}`);
}

function named(object: Json, kind: 'map' | 'set'): readonly [string, Json][] {
  const body = objectAt(object, kind);
  return body === undefined ? [] : [[keyOf(body, 'name'), body]];
}

function chainKey(rule: Json): string {
  return keyOf(rule, 'chain');
}

function keyOf(object: Json, name: 'name' | 'chain'): string {
  return `${textAt(object, 'family') ?? ''} ${textAt(object, 'table') ?? ''} ${textAt(object, name) ?? ''}`;
}

/** A set of which an element cannot be read is left out: who asks for it gets no answer. */
function parseSet([key, set]: readonly [string, Json]): readonly [string, readonly Element[]][] {
  const elements = parseElements(listAt(set, 'elem'));
  return elements === undefined ? [] : [[key, elements]];
}

interface Surroundings {
  readonly maps: ReadonlyMap<string, Json>;
  readonly text: NftText;
}

function parseChain(chain: Json, rules: readonly Json[], around: Surroundings): Chain {
  const family = familyOf(textAt(chain, 'family') ?? '');
  const table = textAt(chain, 'table') ?? '';
  const name = textAt(chain, 'name') ?? '';
  const base = parseBase(chain, around.text.devicesOf(`${family} ${table} ${name}`));
  const place = { family, table, chain: name };
  return { family, table, name, program: 'nft', base, rules: rules.flatMap((rule) => parseRule(rule, place, around)) };
}

function parseRule(
  rule: Json,
  place: { family: TableFamily; table: string; chain: string },
  { maps, text }: Surroundings,
): readonly Rule[] {
  const handle = numberAt(rule, 'handle') ?? 0;
  const setKey = (name: string) => `${place.family} ${place.table} ${name}`;
  return parseRules({
    statements: listAt(rule, 'expr'),
    place,
    handle,
    text: text.ruleOf(`${place.family} ${place.table} ${place.chain}`, handle),
    setKey,
    mapOf: (name) => maps.get(setKey(name)),
  });
}

function parseBase(chain: Json, devices: readonly string[] | null): BaseChain | null {
  const hook = HOOKS.find((known) => known === textAt(chain, 'hook'));
  if (hook === undefined) return null;
  const policy = textAt(chain, 'policy') === 'drop' ? 'drop' : 'accept';
  return { hook, priority: numberAt(chain, 'prio') ?? 0, policy, devices: devicesIn(chain) ?? devices };
}

/** nft 1.0.6 leaves the devices of an ingress chain out of its JSON; later ones write a name or a list. */
function devicesIn(chain: Json): readonly string[] | undefined {
  const dev = chain['dev'];
  if (typeof dev === 'string') return [dev];
  return Array.isArray(dev) ? dev.filter((name) => typeof name === 'string') : undefined;
}

const HOOKS: readonly Hook[] = ['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress'];
const FAMILIES: readonly TableFamily[] = ['ip', 'ip6', 'inet', 'netdev', 'bridge', 'arp'];

function familyOf(text: string): TableFamily {
  const family = FAMILIES.find((known) => known === text);
  if (family === undefined) throw malformed(`a table of family "${printable(text)}"`);
  return family;
}
