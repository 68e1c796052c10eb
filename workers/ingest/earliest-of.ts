/** The earliest time of chunks, of which each has its earliest. @param chunks one at least; of another list it is `''` */
export function earliestOf(chunks: readonly { earliest: string }[]): string {
  return chunks.reduce((least, { earliest }) => (earliest < least ? earliest : least), chunks[0]?.earliest ?? '');
}
