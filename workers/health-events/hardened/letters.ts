import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import { toDeadLetter } from '../../../dead-letters/store.ts';
import { fieldOf, type StreamFields } from '../../../shared/contracts/health-event.ts';
import { uuidOrNull } from '../../../shared/contracts/letter-key.ts';
import { replayProducer } from '../../../shared/contracts/replay.ts';
import { replayLetterField, toStreamLetter } from '../../../shared/contracts/stream-letter.ts';
import type { StreamEntry } from './stream-entry.ts';

/**
 * The letter of an entry that cannot be taken in. One that was put back goes to the letter that it came from. Of an entry
 * that was cut it holds what was read; without a field that counts it cannot be put back.
 */
function toEntryLetter(entry: StreamEntry, stream: string, code: string, reason: string): DeadLetter {
  const letterId = replayedFrom(entry);
  const { cut } = entry;
  return toDeadLetter(
    toStreamLetter(entry.fields),
    code,
    cut === null ? reason : `${reason}; the entry has ${cut.bytes} bytes, and the letter leaves out what is not read`,
    {
      queue: stream,
      contractVersion: cut === null || cut.tooLong.length === 0 ? 1 : null,
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

/** An entry that nothing can be made of, and why. */
export interface DeadEntry {
  entry: StreamEntry;
  code: string;
  reason: string;
}

/** What of an entry is read again for its letter, at most. */
const maxLetterBytes = 2 * 1_024 * 1_024;

/**
 * Stores the letters of entries. An entry of which only a part was read is read again, so that its letter has all of it, up to
 * `maxLetterBytes`: one after the other, as there may be many.
 *
 * @param deps.whole all fields of an entry; null when it is there no more
 */
export async function storeEntryLetters(
  dead: readonly DeadEntry[],
  deps: {
    stream: string;
    whole(id: string): Promise<StreamFields | null>;
    storeLetters(letters: readonly DeadLetter[]): Promise<void>;
  },
): Promise<void> {
  let letters: DeadLetter[] = [];
  let chars = 0;
  for (const { entry, code, reason } of dead) {
    const isSmall = entry.cut !== null && entry.cut.bytes <= maxLetterBytes;
    const fields = isSmall ? await deps.whole(entry.id) : null;
    const letter = toEntryLetter(fields === null ? entry : { ...entry, fields, cut: null }, deps.stream, code, reason);
    letters.push(letter);
    chars += letter.payload.length;
    if (chars < sliceChars) continue;
    await deps.storeLetters(letters);
    letters = [];
    chars = 0;
  }
  if (letters.length > 0) await deps.storeLetters(letters);
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
