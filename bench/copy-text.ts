const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** @see https://www.postgresql.org/docs/current/sql-copy.html, "Text Format" */
export function toCopyText(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\\\n\r\t]/g, (character) => escapes[character] as string);
}

/** Lines in blocks of this size, one block at a time. */
export function* blocksOf(
  lineOf: (index: number) => string,
  { count, linesPerBlock }: { count: number; linesPerBlock: number },
): Generator<string> {
  for (let start = 0; start < count; start += linesPerBlock) {
    const length = Math.min(linesPerBlock, count - start);
    yield Array.from({ length }, (_, offset) => lineOf(start + offset)).join('');
  }
}
