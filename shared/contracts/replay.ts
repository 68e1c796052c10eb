import { uuidOrNull } from './dead-letter-key.ts';

/** Where a dead letter that is put back into its queue goes as a chunk of one record, this is the chunk's producer. */
export function replayProducer(deadLetterId: string): string {
  return `replay-${deadLetterId}`;
}

/** The dead letter whose record is in a chunk of this producer; null when the chunk is no replay. */
export function replayedDeadLetterId(producer: string | null): string | null {
  return producer?.startsWith('replay-') ? uuidOrNull(producer.slice('replay-'.length)) : null;
}
