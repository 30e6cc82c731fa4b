import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

const LANGUAGES = [
  {
    language: 'English',
    folder: 'docs/checks',
    sections: ['What it means', 'How it comes about', 'How to prove it by hand', 'What to do', 'What not to do'],
  },
  { language: 'Chinese', folder: 'docs/zh/checks', sections: ['含义', '成因', '手工验证', '处理办法', '不要这样做'] },
] as const;

const ids = globSync('src/checks/*/*.ts', { cwd: ROOT }).map((file) => basename(file, '.ts'));

describe.each(LANGUAGES)('the $language pages', ({ folder, sections }) => {
  it('exist for every check and for nothing else', () => {
    const pages = globSync('*.md', { cwd: join(ROOT, folder) }).map((file) => basename(file, '.md'));
    expect(pages.toSorted()).toEqual(ids.toSorted());
  });

  describe.each(ids.filter((id) => existsSync(join(ROOT, folder, `${id}.md`))))('%s', (id) => {
    const page = readFileSync(join(ROOT, folder, `${id}.md`), 'utf8');
    const [lead = '', ...bodies] = page.split(/^## .*\n/m);

    it('begins with its id and one sentence', () => {
      expect(lead.trim().split(/\n\s*\n/)).toEqual([`# ${id}`, expect.stringMatching(/^[^\n]+[.。]$/)]);
    });

    it('has the sections that readers know, in their order', () => {
      expect([...page.matchAll(/^## (.*)$/gm)].map((match) => match[1])).toEqual(sections);
    });

    it('leaves no section unwritten', () => {
      const unwritten = bodies.filter((body) => body.trim() === '' || body.includes('UNWRITTEN'));
      expect([...unwritten, ...(lead.includes('UNWRITTEN') ? [lead] : [])]).toEqual([]);
    });
  });
});
