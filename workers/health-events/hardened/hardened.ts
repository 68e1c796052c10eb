import { snapshotEventType } from '../../../shared/contracts/lobby-event.ts';
import type { Config } from '../../../shared/platform/config/config.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { isRefusal } from '../../../shared/platform/redis/redis-errors.ts';
import type { Repeat } from '../../../shared/platform/retry.ts';
import type { Lease } from '../lease.ts';
import type { HealthMetrics } from '../metrics.ts';
import { createObserver, logPublisher } from '../observer.ts';
import { leasesOfSilence } from '../outbox/lobby-place.ts';
import { createLobbyRelay } from '../outbox/lobby-relay.ts';
import type { HealthView } from '../view.ts';
import { applyBatch, type EventObserver } from './apply-batch.ts';
import { consume } from './consumer.ts';
import { createEventStore } from './event-store.ts';
import { createHeldEntries } from './held-entries.ts';
import { findBeginning } from './offset.ts';
import { createStreamReader } from './stream-reader.ts';

export interface SessionDeps {
  config: Config['health'];
  lease: Lease;
  database: Database;
  /** the worker's own */
  redis: Redis;
  /** for the one connection that waits */
  reader: Redis;
  /** for everything else */
  writer: Redis;
  logger: Logger;
  metrics: HealthMetrics;
  view: HealthView;
  /** ends the session after the commit under way */
  signal: AbortSignal;
  /** repeats a statement for as long as that can help */
  onDatabase: Repeat;
  /** repeats a call to Redis for as long as that can help */
  onRedis<T>(redis: Redis, work: () => Promise<T>): Promise<T>;
}

/**
 * Reads the stream as the one who holds the lease: events go into their games with their offset and their snapshots in one
 * commit, and the snapshots from there to the lobby.
 *
 * @returns `fenced` when somebody else has taken the lease
 * @throws UsageError when the place to begin at cannot be used
 */
export async function readHardened(deps: SessionDeps): Promise<'stopped' | 'fenced'> {
  const { config, lease, database, reader, writer, logger, metrics, view, onDatabase, onRedis } = deps;
  const ended = new AbortController();
  const signal = AbortSignal.any([deps.signal, ended.signal]);
  const askWriter: Repeat = (work) => onRedis(writer, work);
  const told = createObserver({ metrics, logger, view });
  const { observer, onBad, onAnotherStream, onAnnounced, onBadOffset, tellMetrics } = told;
  const held = createHeldEntries();
  const stream = createStreamReader(reader, config.stream);
  const store = createEventStore({
    database,
    lease,
    repeat: onDatabase,
    logger,
    startTimer() {
      const stopTimer = metrics.commit.startTimer();
      return () => tellMetrics(stopTimer);
    },
    signal,
  });
  const relay = createLobbyRelay({
    database,
    redis: writer,
    lease,
    lobbyStream: config.lobbyStream,
    silenceMs: config.leaseMs * leasesOfSilence,
    onDatabase,
    onRedis: askWriter,
    now: Date.now,
    onPublished(snapshots) {
      view.publishedSeq = relay.place;
      tellMetrics(() => metrics.published.inc({ event_type: snapshotEventType }, snapshots));
    },
    onAnnounced,
    onPublisher(publisher, seq) {
      Object.assign(view, { otherPublisher: publisher, publishedSeq: seq });
      logPublisher(logger, publisher, config.lobbyStream);
    },
  });
  const unlessStopped = (error: unknown): 'stopped' => {
    if (signal.aborted) return 'stopped';
    throw error;
  };

  const { position, from } = await findBeginning({
    database,
    redis: writer,
    lease,
    ...config,
    onDatabase,
    onRedis: askWriter,
    onBadOffset,
  });
  logger.info(
    { start_entry_id: position.lastId, from, block_timeout: config.blockMs, fencing: lease.token },
    'reading the stream',
  );

  const whole = (id: string) => onRedis(reader, () => stream.whole(id));
  const reading = consume(position, {
    reader: {
      whole,
      read: (afterId, limit) => onRedis(reader, () => stream.read(afterId, limit)),
      async wait(afterId, forMs) {
        let isCut = false;
        // Not asked for again: a server that bounds its answers may break off each time, and a read tells the same.
        await onRedis(reader, async () => {
          if (isCut) return;
          const gameId = await stream.wait(afterId, forMs).catch((error: unknown) => {
            isCut = !isRefusal(error);
            throw error;
          });
          if (gameId !== null) store.loadEarly(gameId);
        });
      },
    },
    held,
    ...config,
    signal,
    async apply(batch) {
      const goesOn = await applyBatch(batch, { store, observer: { ...observer, onCommitted }, held, whole, ...config });
      Object.assign(view, { heldEntries: held.size, oldestId: held.oldestId ?? view.oldestId });
      return goesOn;
    },
    storeDeadLetters: store.storeDeadLetters,
    beginAnew: store.beginAnew,
    onRead({ behind, position: { lastId } }, serverAheadMs) {
      const oldestId = held.oldestId ?? (behind === 0 ? null : lastId);
      Object.assign(view, { behind, serverAheadMs, heldEntries: held.size, oldestId });
    },
    onBad,
    onAnotherStream,
  })
    .catch(unlessStopped)
    .finally(() => void relay.stop());
  const publishing = relay.run().catch(unlessStopped);

  /** Nothing is waited for that nothing depends on: the next entry, and the look at a place that is known. */
  let leaving = Promise.resolve();
  const stop = (): void => {
    reader.disconnect();
    if (!relay.isDue) leaving = relay.release().finally(() => writer.disconnect());
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    // The publishing ends first only when it is fenced off; else what was committed last is still to be published.
    const first = await Promise.race([reading, publishing]);
    const ending = first === 'fenced' ? first : await publishing;
    if (ending === 'fenced') metrics.fenced.inc();
    return ending;
  } finally {
    ended.abort();
    await Promise.allSettled([reading, publishing, leaving]);
    signal.removeEventListener('abort', stop);
    store.close();
    told.close();
  }

  function onCommitted(...[plan, position, gap, outboxRows]: Parameters<EventObserver['onCommitted']>): void {
    // Redis does one thing after the other: the lobby waits for it, but in a backlog the next commit waits for the next read.
    relay.wake(outboxRows, { yields: view.behind !== 0 });
    observer.onCommitted(plan, position, gap, outboxRows);
  }
}
