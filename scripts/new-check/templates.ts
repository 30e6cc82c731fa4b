/** What a new check is called. */
export interface NewCheck {
  readonly group: string;
  readonly id: string;
}

// Every file typechecks as it is, and every part that nobody has written yet fails a test by the word UNWRITTEN.

export function checkTemplate({ group, id }: NewCheck): string {
  return `import { defineCheck, type Finding } from '../../doctor/check.ts';
import { interfacesFact } from '../../facts/interfaces.ts';

/** What the sentences need of one finding. */
interface Values {
  readonly device: string;
}

/** UNWRITTEN: the rule that is checked, and where it comes from (RFC, flannel's source, kernel). */
export default defineCheck({
  id: '${id}',
  group: '${group}',
  severity: 'error',
  needs: { interfaces: interfacesFact },
  causedBy: [],
  say: {
    en: { title: 'UNWRITTEN what holds', summary: unwritten, remedy: unwritten },
    zh: { title: 'UNWRITTEN 正常时成立的事', summary: unwritten, remedy: unwritten },
  },
  repair: 'no',
  proof: 'drill',
  evaluate: (): readonly Finding<Values>[] => {
    throw new Error('UNWRITTEN: one finding per subject');
  },
});

function unwritten(): string {
  throw new Error('UNWRITTEN: a sentence made of the values');
}
`;
}

export function testTemplate({ group, id }: NewCheck): string {
  return `import { describe, expect, it } from 'vitest';
import check from '../../../src/checks/${group}/${id}.ts';

describe(check.id, () => {
  it('holds when UNWRITTEN', () => {
    expect.fail('UNWRITTEN: the healthy case');
  });

  it('fails when UNWRITTEN, with summary, subject, evidence and remedy', () => {
    expect.fail('UNWRITTEN: the fault');
  });

  it('does not mistake UNWRITTEN for it', () => {
    expect.fail('UNWRITTEN: the look-alike');
  });
});
`;
}

export function faultTemplate({ id }: NewCheck): string {
  return `import { defineFault } from '../fault.ts';

export default defineFault({
  name: '${id}',
  check: '${id}',
  title: 'UNWRITTEN: what is done to the node',
  also: [],
  repair: 'heal',
  inject: async () => {
    throw new Error('UNWRITTEN: break the node');
  },
  heal: async () => {
    throw new Error('UNWRITTEN: undo it');
  },
});
`;
}

export function englishPage({ id }: NewCheck): string {
  return page(id, 'UNWRITTEN.', [
    'What it means',
    'How it comes about',
    'How to prove it by hand',
    'What to do',
    'What not to do',
  ]);
}

export function chinesePage({ id }: NewCheck): string {
  return page(id, 'UNWRITTEN。', ['含义', '成因', '手工验证', '处理办法', '不要这样做']);
}

function page(id: string, lead: string, sections: readonly string[]): string {
  return `# ${id}\n\n${lead}\n\n${sections.map((section) => `## ${section}\n\nUNWRITTEN\n`).join('\n')}`;
}
