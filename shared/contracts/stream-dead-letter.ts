import type { StreamFields } from './health-event.ts';

/**
 * A dead letter of a stream is put back at the end of the stream, with an additional field that names the dead letter: readers
 * ignore fields that they do not know.
 */
export const replayDeadLetterField = 'sluice_letter';

/** The payload of an entry's dead letter: its fields as a JSON object. If a field occurs more than once, the last one counts. */
export function toStreamDeadLetter(fields: StreamFields): string {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at] ?? '', fields[at + 1] ?? '']);
  return JSON.stringify(Object.fromEntries(pairs.filter(([name]) => name !== replayDeadLetterField)));
}

/** The fields of a dead letter that is put back. */
export function fromStreamDeadLetter(payload: string, deadLetterId: string): string[] {
  const fields = JSON.parse(payload) as Record<string, unknown>;
  return [
    ...Object.entries(fields).flatMap(([name, value]) => [name, String(value)]),
    replayDeadLetterField,
    deadLetterId,
  ];
}
