import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import { toDeadLetter } from '../../../dead-letters/store.ts';
import { uuidOrNull } from '../../../shared/contracts/dead-letter-key.ts';
import { fieldOf, type StreamFields } from '../../../shared/contracts/health-event.ts';
import { replayProducer } from '../../../shared/contracts/replay.ts';
import { replayDeadLetterField, toStreamDeadLetter } from '../../../shared/contracts/stream-dead-letter.ts';
import type { StreamEntry } from './stream-entry.ts';

/**
 * The dead letter of an entry that cannot be taken in. One that was put back goes to the dead letter that it came from. Of an entry
 * that was cut it holds what was read; without a field that counts it cannot be put back.
 */
function toEntryDeadLetter(entry: StreamEntry, stream: string, code: string, reason: string): DeadLetter {
  const deadLetterId = replayedFrom(entry);
  const { cut } = entry;
  return toDeadLetter(
    toStreamDeadLetter(entry.fields),
    code,
    cut === null
      ? reason
      : `${reason}; the entry has ${cut.bytes} bytes, and the dead letter leaves out what is not read`,
    {
      queue: stream,
      contractVersion: cut === null || cut.tooLong.length === 0 ? 1 : null,
      jobId: entry.id,
      producer: deadLetterId === null ? null : replayProducer(deadLetterId),
    },
    () => entry.id,
  );
}

/** The dead letter that an entry was put back from; null when it was none, or names what cannot be one. */
export function replayedFrom({ fields }: StreamEntry): string | null {
  return uuidOrNull(fieldOf(fields, replayDeadLetterField));
}

/** An entry that nothing can be made of, and why. */
export interface DeadEntry {
  entry: StreamEntry;
  code: string;
  reason: string;
}

/** What of an entry is read again for its dead letter, at most. */
const maxDeadLetterBytes = 2 * 1_024 * 1_024;

/**
 * Stores the dead letters of entries. An entry of which only a part was read is read again, so that its dead letter has all of it, up to
 * `maxDeadLetterBytes`: one after the other, as there may be many.
 *
 * @param deps.whole all fields of an entry; null when it is there no more
 */
export async function storeEntryDeadLetters(
  dead: readonly DeadEntry[],
  deps: {
    stream: string;
    whole(id: string): Promise<StreamFields | null>;
    storeDeadLetters(deadLetters: readonly DeadLetter[]): Promise<void>;
  },
): Promise<void> {
  let deadLetters: DeadLetter[] = [];
  let chars = 0;
  for (const { entry, code, reason } of dead) {
    const isSmall = entry.cut !== null && entry.cut.bytes <= maxDeadLetterBytes;
    const fields = isSmall ? await deps.whole(entry.id) : null;
    const deadLetter = toEntryDeadLetter(
      fields === null ? entry : { ...entry, fields, cut: null },
      deps.stream,
      code,
      reason,
    );
    deadLetters.push(deadLetter);
    chars += deadLetter.payload.length;
    if (chars < sliceChars) continue;
    await deps.storeDeadLetters(deadLetters);
    deadLetters = [];
    chars = 0;
  }
  if (deadLetters.length > 0) await deps.storeDeadLetters(deadLetters);
}

/** Characters of payloads that go into one statement, about: a text that is sent may grow sixfold when it is escaped. */
const sliceChars = 8 * 1_024 * 1_024;

/** Dead letters in turn, as many at a time as one statement can hold: an entry may be as large as its server lets it. */
export function* slicesOf(deadLetters: readonly DeadLetter[]): Generator<DeadLetter[]> {
  let slice: DeadLetter[] = [];
  let chars = 0;
  for (const deadLetter of deadLetters) {
    if (slice.length > 0 && chars + deadLetter.payload.length > sliceChars) {
      yield slice;
      slice = [];
      chars = 0;
    }
    slice.push(deadLetter);
    chars += deadLetter.payload.length;
  }
  if (slice.length > 0) yield slice;
}
