import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../../src/errors.ts';
import { checkTemplate, chinesePage, englishPage, faultTemplate, type NewCheck, testTemplate } from './templates.ts';

/** Writes the files of a new check below `root` and returns their paths. @throws {UsageError} when one is there already. */
export function scaffold(root: string, check: NewCheck): readonly string[] {
  const { group, id } = check;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) throw new UsageError(`${id}: an id is kebab-case, as fdb-missing`);
  const files: Readonly<Record<string, string>> = {
    [`src/checks/${group}/${id}.ts`]: checkTemplate(check),
    [`test/checks/${group}/${id}.test.ts`]: testTemplate(check),
    [`src/drill/faults/${id}.ts`]: faultTemplate(check),
    [`docs/checks/${id}.md`]: englishPage(check),
    [`docs/zh/checks/${id}.md`]: chinesePage(check),
  };
  const taken = Object.keys(files).find((file) => existsSync(join(root, file)));
  if (taken !== undefined) throw new UsageError(`${taken} exists already; nothing was written`);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return Object.keys(files);
}
