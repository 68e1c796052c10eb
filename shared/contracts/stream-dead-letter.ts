import type { StreamFields } from './health-event.ts';

/**
 * A dead letter of a stream is put back at the end of the stream, with one field more that names the dead letter: readers leave
 * fields that they do not know unread.
 */
export const replayDeadLetterField = 'sluice_letter';

/** The payload of the dead letter of an entry: its fields as a JSON object. Of a field that is there more than once, the last counts. */
export function toStreamDeadLetter(fields: StreamFields): string {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? '']);
  return JSON.stringify(Object.fromEntries(pairs.filter(([name]) => name !== replayDeadLetterField)));
}

/** The fields of a dead letter, to be put back. */
export function fromStreamDeadLetter(payload: string, deadLetterId: string): string[] {
  const fields = JSON.parse(payload) as Record<string, unknown>;
  return [
    ...Object.entries(fields).flatMap(([name, value]) => [name, String(value)]),
    replayDeadLetterField,
    deadLetterId,
  ];
}
