import { widthOf } from './width.ts';

export interface WrapShape {
  /** Columns of a line. */
  readonly columns: number;
  /** In front of the first line, and in front of those that follow. */
  readonly first: string;
  readonly next: string;
}

/** Narrower than this a paragraph is not read any better for being broken. */
const NARROWEST = 24;

/** Breaks a paragraph between words; Chinese also between characters. What is longer than a line, an address or a path, stays whole. */
export function wrap(text: string, { columns, first, next }: WrapShape): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isBegun = false;
  for (const piece of pieces(text)) {
    const width = Math.max(columns, widthOf(isOnFirst(lines) ? first : next) + NARROWEST);
    if (isBegun && widthOf(line) + widthOf(piece.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = next;
    }
    line += piece;
    isBegun = true;
  }
  return [...lines, line.trimEnd()];
}

function isOnFirst(lines: readonly string[]): boolean {
  return lines.length === 0;
}

/** Words with the blanks behind them; a Chinese character with the punctuation behind it. */
function pieces(text: string): readonly string[] {
  return (
    text.match(
      /[\u2e80-\u9fff][\u3000-\u303f\uff00-\uff65]*\s*|[^\s\u2e80-\u9fff]+[\u3000-\u303f\uff00-\uff65]*\s*|\s+/gu,
    ) ?? []
  );
}
