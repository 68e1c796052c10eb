import { uuidOrNull } from './letter-key.ts';

/** Where a dead letter that is put back into its queue goes as a chunk of one record, this is the chunk's producer. */
export function replayProducer(letterId: string): string {
  return `replay-${letterId}`;
}

/** The letter whose record is in a chunk of this producer; null when the chunk is no replay. */
export function replayedLetterId(producer: string | null): string | null {
  return producer?.startsWith('replay-') ? uuidOrNull(producer.slice('replay-'.length)) : null;
}
