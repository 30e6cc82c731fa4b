import type { ActualOverlay, Entry } from './entry.ts';

/** Whether the kernel holds a neighbour or forwarding entry as it is. Asked only where two peers want the same one. */
export function holdsTest({ neighbours, fdb }: ActualOverlay): (entry: Entry) => boolean {
  let held: ReadonlySet<string> | undefined;
  return (entry) => {
    held ??= new Set([...neighbours, ...fdb].map(textOf));
    return held.has(textOf(entry));
  };
}

function textOf(entry: Entry): string {
  if (entry.kind === 'neighbour') return `${entry.device} ${entry.ip} ${entry.mac}`;
  return entry.kind === 'fdb' ? `${entry.device} ${entry.mac} ${entry.dst}` : '';
}
