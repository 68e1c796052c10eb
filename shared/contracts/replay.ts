import { uuidOrNull } from './dead-letter-key.ts';

/** The producer of the chunk in which a replayed dead letter goes back to its queue, as its only record. */
export function replayProducer(deadLetterId: string): string {
  return `replay-${deadLetterId}`;
}

/** The dead letter whose record is in a chunk of this producer; null if the chunk is not a replay. */
export function replayedDeadLetterId(producer: string | null): string | null {
  return producer?.startsWith('replay-') ? uuidOrNull(producer.slice('replay-'.length)) : null;
}
