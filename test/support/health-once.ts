import { markStored, storeDeadLetters } from '../../dead-letters/store.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { applyBatch } from '../../workers/health-events/hardened/apply-batch.ts';
import { consume } from '../../workers/health-events/hardened/consumer.ts';
import { commitEvents, loadGames } from '../../workers/health-events/hardened/game-store.ts';
import { createHeldEntries } from '../../workers/health-events/hardened/held-entries.ts';
import { findBeginning } from '../../workers/health-events/hardened/offset.ts';
import { createStreamReader } from '../../workers/health-events/hardened/stream-reader.ts';
import { acquireLease, type Lease } from '../../workers/health-events/lease.ts';
import { createLobbyRelay } from '../../workers/health-events/outbox/lobby-relay.ts';
import type { HealthPlace } from './health-place.ts';

/** One life of a consumer, and how it ends. */
export interface Life {
  /** batches at most */
  reads: number;
  /** entries in a batch at most */
  limit: number;
  end: 'publishes' | 'dies before publishing' | 'dies before its commit' | 'is fenced off';
}

/** Consumers that live one after the other, each put together of the worker's own parts, to end just where a test wants them to. */
export function createHealthConsumerOnce(place: HealthPlace, database: Database) {
  const { keys, client, redis } = place;
  const { health } = loadConfig(keys.environment);

  const takeLease = async (): Promise<Lease> => {
    await client.query("update stream_lease set expires_at = now() - interval '1 hour'");
    const lease = await acquireLease(database, { label: health.label, holder: 'a test', ttlMs: 60_000 });
    if (lease === null) throw new Error('the lease was not to be had');
    return lease;
  };

  return {
    async live({ reads, limit, end }: Life): Promise<void> {
      const lease = await takeLease();
      const stopping = new AbortController();
      const held = createHeldEntries();
      const reader = createStreamReader(redis, health.stream);
      const now = <T>(work: () => Promise<T>): Promise<T> => work();
      let left = reads;
      const { position } = await findBeginning({
        ...{ database, redis, lease, ...health },
        onDatabase: now,
        onRedis: now,
        onBadOffset: () => undefined,
      });
      await consume(position, {
        reader: { ...reader, wait: async () => stopping.abort() },
        held,
        stream: health.stream,
        maxEntries: limit,
        blockMs: 1,
        signal: stopping.signal,
        async apply(batch) {
          left -= 1;
          const isLast = left <= 0;
          if (isLast) stopping.abort();
          if (isLast && end === 'dies before its commit') return false;
          if (isLast && end === 'is fenced off') await takeLease();
          return applyBatch(batch, {
            store: {
              loadGames: (gameIds) => loadGames(database, gameIds),
              commit: (commit) => commitEvents(database, lease, commit),
              storeDeadLetters: async (deadLetters) => void (await storeDeadLetters(database, deadLetters)),
              markStored: (deadLetterIds) => markStored(database, deadLetterIds),
            },
            observer: { onCommitted: () => undefined, onConflict: () => undefined, onDeadLetter: () => undefined },
            held,
            stream: health.stream,
            graceMs: 0,
            whole: reader.whole,
          });
        },
        storeDeadLetters: async (deadLetters) => void (await storeDeadLetters(database, deadLetters)),
        beginAnew: () => Promise.reject(new Error('the stream is the same')),
        onRead: () => undefined,
        onBad: () => undefined,
        onAnotherStream: () => undefined,
      });
      if (end !== 'publishes') return;
      const relay = createLobbyRelay({
        ...{ database, redis, lease, lobbyStream: health.lobbyStream },
        onDatabase: now,
        onRedis: now,
        now: Date.now,
        onPublished: () => undefined,
        onAnnounced: () => undefined,
      });
      await relay.publish();
    },

    /** Sets the offset back by so many entries, and the account of them with it. */
    async setBack(entries: number): Promise<void> {
      const stored = await place.offset();
      if (stored === undefined) return;
      const all = (await redis.xrange(health.stream, '-', '+')).map(([id]) => id);
      const index = Math.max(-1, all.indexOf(stored.last_id) - entries);
      await client.query('update stream_offset set last_id = $1, entries_read = $2', [all[index] ?? '0-0', index + 1]);
    },
  };
}
