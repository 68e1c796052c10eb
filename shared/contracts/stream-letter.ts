/**
 * A dead letter of a stream is its entry, as JSON. It is put back at the end of the stream, with one field more that names
 * the letter: readers leave fields that they do not know unread.
 */
export const replayLetterField = 'sluice_letter';

/** The payload of a letter. @param entry its fields and values in turn */
export function toStreamLetter({ id, fields }: { id: string; fields: readonly string[] }): string {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? '']);
  return JSON.stringify({ id, fields: pairs.filter(([name]) => name !== replayLetterField) });
}

/**
 * The fields of a letter, to be put back.
 *
 * @throws SyntaxError when a payload is not of a stream's entry
 */
export function fromStreamLetter(payload: string, letterId: string): string[] {
  const { fields } = JSON.parse(payload) as { fields?: unknown };
  if (!Array.isArray(fields)) throw new SyntaxError('the letter is no stream entry');
  return [...fields.flat().map(String), replayLetterField, letterId];
}
