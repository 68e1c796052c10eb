import type { Config } from '../../shared/config.ts';
import { snapshotEventType } from '../../shared/contracts/lobby-event.ts';
import type { Database } from '../../shared/database.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Redis } from '../../shared/redis.ts';
import { markStored, storeDeadLetters } from '../dead-letters.ts';
import { consume } from './consumer.ts';
import { commitEvents, loadGames } from './game-store.ts';
import { createHeldEntries } from './held-entries.ts';
import type { Lease } from './lease.ts';
import { createLobbyRelay } from './lobby-relay.ts';
import type { HealthMetrics } from './metrics.ts';
import { createObserver } from './observer.ts';
import { beginAnew, findBeginning } from './offset.ts';
import { createStreamReader } from './stream-reader.ts';
import { takeEvents } from './take-events.ts';
import type { HealthView } from './view.ts';

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
  onDatabase<T>(work: () => Promise<T>): Promise<T>;
  /** repeats a call to Redis for as long as that can help */
  onRedis<T>(redis: Redis, work: () => Promise<T>): Promise<T>;
}

/**
 * Reads the stream as the one who holds the lease: events go into their games with their offset and their snapshots in one
 * commit, and the snapshots from there to the lobby.
 *
 * @returns `fenced` when somebody else has taken the lease
 * @throws UsageError for what a person has to mend
 */
export async function readHardened(deps: SessionDeps): Promise<'stopped' | 'fenced'> {
  const { config, lease, database, reader, writer, logger, metrics, view, onDatabase, onRedis } = deps;
  const ended = new AbortController();
  const signal = AbortSignal.any([deps.signal, ended.signal]);
  const held = createHeldEntries();
  let isReading = true;
  const stream = createStreamReader(reader, config.stream);
  const { observer, onBad } = createObserver({ metrics, logger, view });
  const relay = createLobbyRelay({
    database,
    redis: writer,
    lease,
    lobbyStream: config.lobbyStream,
    onDatabase,
    onRedis: (work) => onRedis(writer, work),
    now: Date.now,
    onPublished(snapshots) {
      view.publishedSeq = relay.place;
      metrics.published.inc({ event_type: snapshotEventType }, snapshots);
    },
    onAnnounced: (games) => logger.warn({ games }, 'the lobby’s stream lacks snapshots, all games are announced again'),
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
    onRedis: (work) => onRedis(writer, work),
    onBadOffset: (problem, policy) => logger.error({ problem, policy }, 'the offset of the original cannot be used'),
  });
  logger.info(
    { start_entry_id: position.lastId, from, block_timeout: config.blockMs, fencing: lease.token },
    'reading the stream',
  );

  const reading = consume(position, {
    reader: {
      read: (afterId, limit) => onRedis(reader, () => stream.read(afterId, limit)),
      wait: (afterId, forMs) => onRedis(reader, () => stream.wait(afterId, forMs)),
    },
    held,
    stream: config.stream,
    maxEntries: config.maxEntries,
    blockMs: config.blockMs,
    signal,
    take: (batch) =>
      takeEvents(batch, {
        store: {
          loadGames: (gameIds) => onDatabase(() => loadGames(database, gameIds)),
          commit: (commit) => onDatabase(() => commitEvents(database, lease, commit)),
          storeLetters: (letters) => onDatabase(() => storeDeadLetters(database, letters)),
          markStored: (letterIds) => onDatabase(() => markStored(database, letterIds)),
        },
        observer: {
          ...observer,
          onCommitted(...committed) {
            observer.onCommitted(...committed);
            relay.wake();
          },
        },
        held,
        stream: config.stream,
        graceMs: config.graceMs,
      }),
    storeLetters: (letters) => onDatabase(() => storeDeadLetters(database, letters)),
    beginAnew: () => onDatabase(() => beginAnew(database, lease)),
    onRead({ behind, position: { lastId } }, serverAheadMs) {
      const oldestId = held.oldestId ?? (behind === 0 ? null : lastId);
      Object.assign(view, { behind, serverAheadMs, heldEntries: held.size, oldestId });
    },
    onBad,
    onAnotherStream: (last, { facts }) =>
      logger.error(
        {
          lastId: last.lastId,
          entriesRead: last.entriesRead,
          streamEnd: facts?.lastId,
          entriesAdded: facts?.entriesAdded,
        },
        'the stream was begun anew or restored from an older copy; it is read from its beginning',
      ),
  })
    .catch(unlessStopped)
    .finally(() => {
      isReading = false;
      relay.interrupt();
    });

  /** Until the reading has ended, and what came of it is published. */
  const publish = async (): Promise<'stopped' | 'fenced'> => {
    while (isReading || relay.isDue) {
      if ((await relay.publish()) === 'fenced') return 'fenced';
      if (isReading) await relay.untilWoken();
    }
    return 'stopped';
  };
  const publishing = publish().catch(unlessStopped);

  /** Nothing is waited for that nothing depends on: the next entry, and the look at a place that is known. */
  const stop = (): void => {
    reader.disconnect();
    if (!relay.isDue) writer.disconnect();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const first = await Promise.race([reading, publishing]);
    // What was committed last is still to be published.
    if (first === 'stopped') return await publishing;
    metrics.fenced.inc();
    return 'fenced';
  } finally {
    ended.abort();
    await Promise.allSettled([reading, publishing]);
    signal.removeEventListener('abort', stop);
  }
}
