import { isBlank } from '../../../shared/contracts/health-event.ts';
import { offsetKey } from '../../../shared/contracts/offset-key.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** Remembers how far the consumer of a label has read. */
export interface OffsetStore {
  /** @returns the saved text, whatever it is; null when there is none */
  load(label: string): Promise<string | null>;
  /** @throws RangeError when the label or the id is blank; then nothing is saved */
  save(label: string, entryId: string): Promise<void>;
}

/** Offsets where the original keeps them: plain text under a key of the service and the label, without an expiry. */
export function createOffsetStore({ redis, service }: { redis: Redis; service: string }): OffsetStore {
  return {
    load: (label) => redis.get(offsetKey(service, label)),
    async save(label, entryId) {
      if (isBlank(label)) throw new RangeError('an offset is saved under a label that is not blank');
      if (isBlank(entryId)) throw new RangeError('an offset that is saved is not blank');
      await redis.set(offsetKey(service, label), entryId);
    },
  };
}
