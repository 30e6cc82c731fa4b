import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../scripts/registry.ts';
import { type AnyCheck, GROUPS, type Needs } from '../../src/doctor/check.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { checks } from '../../src/generated/checks.ts';
import { faults } from '../../src/generated/faults.ts';

const ROOT = join(import.meta.dirname, '../..');
const files = filesOf(ROOT, 'src/checks/*/*.ts');
const cases = checks.map((check, at) => ({ id: check.id, check, file: files[at] ?? '' }));
const ids = checks.map(({ id }) => id);

describe.each(cases)('$id', ({ id, check, file }) => {
  it('has the name of its file and the group of its folder', () => {
    expect(file).toBe(`src/checks/${check.group}/${id}.ts`);
    expect(GROUPS).toContain(check.group);
  });

  it('needs nothing but facts', () => {
    expect(needsOf(check).filter(({ fact }) => typeof fact?.collect !== 'function')).toEqual([]);
  });

  it('names only checks that exist as its causes', () => {
    const causes = (check.causedBy ?? []).map((edge) => edge.id);
    expect(causes.filter((cause) => !ids.includes(cause) || cause === id)).toEqual([]);
    expect(causes).toEqual([...new Set(causes)]);
  });

  it('says the same three things in both languages', () => {
    const { en, zh } = check.say;
    expect([typeof en.summary, typeof en.remedy, typeof zh.summary, typeof zh.remedy]).toEqual(
      Array(4).fill('function'),
    );
    expect(en.title).toMatch(/^\P{Script=Han}+$/u);
    expect(zh.title).toMatch(/\p{Script=Han}/u);
  });

  it('has titles that are no whole sentences', () => {
    expect(`${check.say.en.title}|${check.say.zh.title}`).not.toMatch(/[.。!！]\s*(\||$)|UNWRITTEN/);
  });

  it('has a test', () => {
    expect(existsSync(join(ROOT, `test/checks/${check.group}/${id}.test.ts`))).toBe(true);
  });

  it('is proved by a fault, or says why no fault can be injected', () => {
    const own = faults.filter((fault) => fault.check === id);
    if (check.proof === 'drill') expect(own).not.toEqual([]);
    else expect(check.proof.recorded).toMatch(/\S.{10,}/);
  });

  it('repairs what its faults say that it repairs', () => {
    const repaired = faults.filter((fault) => fault.check === id && fault.repair === 'fix');
    if (check.repair === 'no') expect(repaired.map(({ name }) => name)).toEqual([]);
  });
});

describe('the checks together', () => {
  it('have an id each', () => {
    expect(ids).toEqual([...new Set(ids)]);
  });

  it('are never each other’s cause', () => {
    expect(checks.flatMap(({ id }) => (causesOf(id).has(id) ? [id] : []))).toEqual([]);
  });

  it('name each fact only once', () => {
    const facts = new Set(checks.flatMap(needsOf).map(({ fact }) => fact));
    const names = [...facts].map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it('let no fact be absent without somebody saying what that means', () => {
    const needs = checks.flatMap(needsOf);
    const judged = new Set(needs.filter(({ how }) => how === 'judged').map(({ fact }) => fact.name));
    const left = needs
      .filter(({ how }) => how === 'needed')
      .map(({ fact: { name, absence } }) => {
        if (absence === undefined) return name;
        return absence !== 'never' && 'follows' in absence ? absence.follows : undefined;
      });
    expect([...new Set(left)].filter((name) => name !== undefined && !judged.has(name))).toEqual([]);
  });
});

describe.each(faults)('the fault $name', (fault) => {
  it('has the name of its file, which begins with the id of its check', () => {
    expect(existsSync(join(ROOT, `src/drill/faults/${fault.name}.ts`))).toBe(true);
    expect(`${fault.name}-`.startsWith(`${fault.check}-`)).toBe(true);
  });

  it('names only checks that exist', () => {
    expect([fault.check, ...fault.also].filter((id) => !ids.includes(id))).toEqual([]);
  });
});

interface Need {
  readonly how: 'needed' | 'judged' | 'optional';
  readonly fact: Fact<unknown>;
}

function needsOf({ needs }: { readonly needs: Needs }): readonly Need[] {
  return Object.values(needs).map((need): Need => {
    if ('optional' in need) return { how: 'optional', fact: need.optional };
    return 'judged' in need ? { how: 'judged', fact: need.judged } : { how: 'needed', fact: need };
  });
}

/** Everything that may cause a check, through any number of others. */
function causesOf(id: string): ReadonlySet<string> {
  const causes = new Set<string>();
  const follow = (check: AnyCheck | undefined) => {
    for (const { id: cause } of check?.causedBy ?? []) {
      if (causes.has(cause)) continue;
      causes.add(cause);
      follow(checks.find((other) => other.id === cause));
    }
  };
  follow(checks.find((other) => other.id === id));
  return causes;
}
