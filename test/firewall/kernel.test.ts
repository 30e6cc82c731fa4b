import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readFirewall } from '../../src/facts/firewall.ts';
import { blockersOf, INCOMING, judge, OUTGOING, type Way } from '../../src/firewall/evaluate.ts';
import type { Argv } from '../../src/host/host.ts';
import { incoming, OverlayPair, outgoing } from './overlay-pair.ts';
import { VARIANTS, type Variant } from './variants.ts';

let pair: OverlayPair;

beforeAll(() => {
  pair = new OverlayPair();
}, 30_000);

afterAll(() => pair.close());

beforeEach(() => pair.reset());

describe.each(VARIANTS)('$name', (variant) => {
  it(variant.undecided ? 'is left undecided' : 'is judged as the kernel does it', async () => {
    install(variant);
    const { verdict } = judge(await wayOf(variant));
    expect(verdict).toBe(variant.undecided ? 'undecided' : fateOf(variant));
  });
});

describe('the commands that delete what blocks', () => {
  const blocking = VARIANTS.filter(({ name }) =>
    /drop|reject|range|chain$|mangle|raw|set|order|source$|bridge/.test(name),
  );

  it.each(blocking)('open the way for: $name', async (variant) => {
    install(variant);
    for (const blocker of blockersOf(await wayOf(variant))) {
      if (blocker.kind === 'rule') pair.inNode(['sh', '-c', blocker.rule.deleteCommand]);
    }
    if (variant.undecided === undefined) expect(fateOf(variant)).toBe('accepted');
  });
});

function install({ nft, iptables = [] }: Variant): void {
  if (nft !== undefined) pair.inNode(['nft', '-f', '-'], nft);
  for (const line of iptables) pair.inNode(commandOf(line));
}

function commandOf(line: string): Argv {
  const [first = '', ...rest] = line.split(' ');
  if (first === '!nft') return ['nft', ...rest];
  return first === '!legacy' ? ['iptables-legacy', ...rest] : ['iptables-nft', first, ...rest];
}

function fateOf({ direction }: Variant): 'accepted' | 'dropped' {
  return pair.passes(direction) ? 'accepted' : 'dropped';
}

async function wayOf({ direction }: Variant): Promise<Way> {
  const ruleset = await readFirewall(pair.host());
  return direction === 'in'
    ? { ruleset, packet: incoming(), hooks: INCOMING }
    : { ruleset, packet: outgoing(), hooks: OUTGOING };
}
