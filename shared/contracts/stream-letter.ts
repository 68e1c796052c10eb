import type { StreamFields } from './health-event.ts';

/**
 * A dead letter of a stream is put back at the end of the stream, with one field more that names the letter: readers leave
 * fields that they do not know unread.
 */
export const replayLetterField = 'sluice_letter';

/** The payload of the letter of an entry: its fields as a JSON object. Of a field that is there more than once, the last counts. */
export function toStreamLetter(fields: StreamFields): string {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? '']);
  return JSON.stringify(Object.fromEntries(pairs.filter(([name]) => name !== replayLetterField)));
}

/** The fields of a letter, to be put back. */
export function fromStreamLetter(payload: string, letterId: string): string[] {
  const fields = JSON.parse(payload) as Record<string, unknown>;
  return [...Object.entries(fields).flatMap(([name, value]) => [name, String(value)]), replayLetterField, letterId];
}
