import type { JudgedLease } from '../leases/judged.ts';
import type { PlannedLease, PrunePlan } from '../leases/prune-plan.ts';
import type { RemovalReport, RestoreReport } from './lease-document.ts';
import { expiryText, leaseName } from './lease-table.ts';
import { leaseWords } from './lease-words.ts';
import { printable } from './printable.ts';
import { safeJson } from './safe-json.ts';

type Language = 'en' | 'zh';

/** One lease, a line a property. */
export function renderLease(lease: JudgedLease, language: Language): string {
  const { record, states, node, silence } = lease;
  const attributes = record.kind === 'lease' ? record.attributes : undefined;
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ['Key', record.key],
    ['Subnet', record.kind === 'malformed-key' ? null : record.subnet],
    ['IPv6 subnet', record.kind === 'malformed-key' ? null : record.ipv6Subnet],
    ['Public IP', attributes?.publicIp],
    ['Public IPv6', attributes?.publicIpv6],
    ['Backend', attributes?.backendType],
    ['Backend data', dataText(attributes?.backendData)],
    ['Backend IPv6 data', dataText(attributes?.backendV6Data)],
    ['Expires', expiryText(lease)],
    ['Etcd lease', record.etcdLease],
    ['Revision', record.modRevision],
    ['Node', node],
    ['States', states.join(', ')],
    ['Owner', silence?.because[language]],
    ['Problem', record.kind === 'lease' ? null : record.reason],
    ['Value', record.kind === 'lease' ? null : record.value],
  ];
  return rows
    .flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [[name, value] as const]))
    .map(([name, value]) => `${name.padEnd(18)} ${printable(value)}`)
    .join('\n');
}

/** The plan with its reasons, what goes first. */
export function renderPlan(plan: PrunePlan, language: Language): string {
  const words = leaseWords(language);
  const { deletions, kept, max, total } = plan;
  return [
    deletions.length === 0 ? words.nothingToDelete(total) : words.toDelete(deletions.length, total),
    ...deletions.flatMap((lease) => plannedLines('-', lease, language)),
    ...(kept.length === 0 ? [] : [words.toKeep(kept.length)]),
    ...kept.flatMap((lease) => plannedLines(lease.action === 'refuse' ? '!' : '=', lease, language)),
    ...(deletions.length > max ? [words.overMax(deletions.length, max)] : []),
  ].join('\n');
}

function plannedLines(mark: string, lease: PlannedLease, language: Language): readonly string[] {
  const { record, states } = lease;
  const owner = record.kind === 'lease' ? (record.attributes.publicIp ?? record.attributes.publicIpv6 ?? '-') : '-';
  return [
    `  ${mark} ${leaseName(record)}  ${owner}  ${expiryText(lease)}  ${states.join(',') || '-'}`,
    ...lease.reasons.map((reason) => `      ${printable(reason[language])}`),
  ];
}

/** What was deleted and what was not, and how to undo it. */
export function renderRemoval({ outcome, restoreCommand }: RemovalReport, language: Language): string {
  const words = leaseWords(language);
  const { deleted, changed, failed, untried, backup } = outcome;
  return [
    words.deleted(deleted.length),
    ...changed.map(({ message }) => `  = ${printable(message)}`),
    ...failed.map(({ error }) => `  ! ${printable(error.message)}`),
    ...(untried.length === 0 ? [] : [words.untried(untried.length)]),
    ...(backup === null ? [] : [words.backup(backup)]),
    ...(restoreCommand === null ? [] : [words.putBack, `  ${restoreCommand}`]),
  ].join('\n');
}

const RESULT_MARKS = {
  ...{ restored: '+', 'would-restore': '+', present: '=', expired: '=' },
  ...{ refused: '!', failed: '!', untried: '?' },
} as const;

export function renderRestore({ restored, dryRun }: RestoreReport, language: Language): string {
  const words = leaseWords(language);
  const lines = restored.map(({ record, result, message }) => {
    const why = message === null ? '' : `: ${printable(reasonAlone(record.key, message))}`;
    return `  ${RESULT_MARKS[result]} ${leaseName(record)}  ${words.restored[result]}${why}`;
  });
  const wanted = dryRun ? 'would-restore' : 'restored';
  const count = restored.filter(({ result }) => result === wanted).length;
  return [dryRun ? words.wouldRestore(count) : words.restoredCount(count), ...lines].join('\n');
}

/** The store's message is a whole sentence, whose beginning the line has already said. */
function reasonAlone(key: string, message: string): string {
  const beginning = `${key} is not put back: `;
  return message.startsWith(beginning) ? message.slice(beginning.length) : message;
}

function dataText(data: unknown): string | null {
  if (data === null || data === undefined) return null;
  const text = safeJson(data);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
