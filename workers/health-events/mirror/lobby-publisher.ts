import { type RuntimeSnapshot, toLobbyFields } from '../../../shared/contracts/lobby-event.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';

/** Tells the lobby how a game is. */
export interface LobbyPublisher {
  publish(snapshot: RuntimeSnapshot): Promise<void>;
}

/** Adds each snapshot to the lobby's stream. Whoever reads the stream trims it. */
export function createLobbyPublisher({ redis, stream }: { redis: Redis; stream: string }): LobbyPublisher {
  return {
    async publish(snapshot) {
      await redis.xadd(stream, '*', ...toLobbyFields(snapshot));
    },
  };
}
