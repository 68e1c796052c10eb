import { fieldOf } from '../../shared/contracts/health-event.ts';
import { uuidOrNull } from '../../shared/contracts/letter-key.ts';
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

/** The letter that an entry was put back from; null when it was none, or names what cannot be one. */
export function replayedFrom({ fields }: StreamEntry): string | null {
  return uuidOrNull(fieldOf(fields, replayLetterField));
}

/** Characters of payloads that go into one statement, about: a text that is sent may grow sixfold when it is escaped. */
const sliceChars = 8 * 1_024 * 1_024;

/** Letters in turn, as many at a time as one statement can hold: an entry may be as large as its server lets it. */
export function* slicesOf(letters: readonly DeadLetter[]): Generator<DeadLetter[]> {
  let slice: DeadLetter[] = [];
  let chars = 0;
  for (const letter of letters) {
    if (slice.length > 0 && chars + letter.payload.length > sliceChars) {
      yield slice;
      slice = [];
      chars = 0;
    }
    slice.push(letter);
    chars += letter.payload.length;
  }
  if (slice.length > 0) yield slice;
}
