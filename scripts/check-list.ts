import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyCheck } from '../src/doctor/check.ts';
import { listChecks } from '../src/doctor/check-list.ts';
import { ROOT, write } from './registry.ts';

/**
 * Writes src/generated/check-list.ts: what `checks` tells of every check, so that none has to be loaded to list them. Imports every check,
 * so the registry must have been written before.
 */
export async function generateCheckList(root: string = ROOT): Promise<void> {
  const registry = pathToFileURL(join(root, 'src/generated/checks.ts')).href;
  const { checks }: { checks: readonly AnyCheck[] } = await import(registry);
  const lists = { en: listChecks(checks, 'en'), zh: listChecks(checks, 'zh') };
  write(root, 'check-list.ts', listModule(JSON.stringify(lists)));
}

function listModule(json: string): string {
  return `// Written by scripts/check-list.ts from the checks.
import type { CheckList } from '../doctor/check-list.ts';

/** By language. Parsed when it is loaded: a JSON text starts faster than the object literal. */
export const checkLists: Readonly<Record<'en' | 'zh', CheckList>> = JSON.parse(
  ${JSON.stringify(json)},
);
`;
}
