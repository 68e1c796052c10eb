import { fieldOf } from '../../shared/contracts/health-event.ts';
import { replayProducer } from '../../shared/contracts/replay.ts';
import { replayLetterField, toStreamLetter } from '../../shared/contracts/stream-letter.ts';
import { type DeadLetter, toDeadLetter } from '../dead-letters.ts';
import type { StreamEntry } from './stream-entry.ts';

/** The letter of an entry that cannot be taken in. One that was put back goes to the letter that it came from. */
export function toEntryLetter(entry: StreamEntry, stream: string, code: string, reason: string): DeadLetter {
  const letterId = replayedFrom(entry);
  return toDeadLetter(
    toStreamLetter(entry.fields),
    code,
    reason,
    {
      queue: stream,
      contractVersion: 1,
      jobId: entry.id,
      producer: letterId === null ? null : replayProducer(letterId),
    },
    () => entry.id,
  );
}

/** The letter that an entry was put back from; null when it was none. */
export function replayedFrom({ fields }: StreamEntry): string | null {
  return fieldOf(fields, replayLetterField) ?? null;
}
