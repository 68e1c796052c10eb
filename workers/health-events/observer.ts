import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createThrottledLog } from '../../shared/platform/logging/throttled-log.ts';
import { createMetricsTeller } from '../runtime/tell-metrics.ts';
import type { EventObserver } from './hardened/apply-batch.ts';
import type { BadEntry, ConsumerDeps } from './hardened/consumer.ts';
import type { HealthMetrics } from './metrics.ts';
import type { Publisher } from './outbox/lobby-place.ts';
import type { HealthView } from './view.ts';

const deadLetterLogEveryMs = 10_000;

/** Tells metrics, log and probes what becomes of the events. What is told together is complete after `close`. */
export function createObserver({
  metrics,
  logger,
  view,
}: {
  metrics: HealthMetrics;
  logger: Logger;
  view: HealthView;
}) {
  const deadLetters = createThrottledLog<string>(deadLetterLogEveryMs, (result, { count, lastError }) =>
    // Not the reason, which may quote an entry; it is in the dead letter.
    logger.warn({ result, entries: count, last_entry_id: lastError?.message }, 'entries became dead letters'),
  );

  // What is told of is committed.
  const teller = createMetricsTeller(logger);
  const { tellMetrics } = teller;

  const observer: EventObserver = {
    onCommitted({ results, transitions }, _position, gap) {
      view.commits += 1;
      tellMetrics(() => {
        for (const { type, result } of results) metrics.events.inc({ event_type: type, result });
        metrics.consumed.inc(results.length);
        if (gap !== null) metrics.gapEntries.inc(gap.entries);
      });
      for (const { gameId, entryId, from, to, health } of transitions)
        logger.info(
          { game_id: gameId, stream_entry_id: entryId, from_status: from, to_status: to, engine_health: health },
          'status changed',
        );
      if (gap === null) return;
      logger.error(
        { entries: gap.entries, after: gap.afterId, before: gap.beforeId },
        'entries were removed from the stream before they were read',
      );
    },
    onConflict(gameIds) {
      tellMetrics(() => metrics.conflicts.inc());
      logger.debug({ games: gameIds.length, game_id: gameIds[0] }, 'records changed or are locked; planning again');
    },
    onDeadLetter({ event, id }, result) {
      tellMetrics(() => {
        metrics.events.inc({ event_type: event.type, result });
        metrics.consumed.inc();
      });
      deadLetters.report(result, new Error(id));
    },
  };

  const onBad = ({ id, problem }: BadEntry): void => {
    tellMetrics(() => {
      metrics.events.inc({ event_type: 'none', result: problem });
      metrics.consumed.inc();
    });
    deadLetters.report(problem, new Error(id));
  };
  const onAnotherStream: ConsumerDeps['onAnotherStream'] = ({ lastId, entriesRead }, { facts }, waiting) => {
    tellMetrics(() => {
      for (const { event } of waiting) metrics.events.inc({ event_type: event.type, result: 'orphaned' });
      metrics.consumed.inc(waiting.length);
    });
    logger.error(
      { lastId, entriesRead, streamEnd: facts?.lastId, entriesAdded: facts?.entriesAdded, deadLetters: waiting.length },
      'the stream was recreated or restored from an older copy; reading it from the beginning',
    );
  };
  const onAnnounced = (games: number): void =>
    logger.warn({ games }, 'the lobby stream lacks snapshots; announcing all games again');
  const onBadOffset = (problem: string, policy: string): void =>
    logger.error({ problem, policy }, 'the offset of the original cannot be used');
  return {
    ...{ observer, onBad, onAnotherStream, onAnnounced, onBadOffset, tellMetrics },
    close(): void {
      deadLetters.close();
      teller.close();
    },
  };
}

/** @param publisher another consumer, which publishes to the lobby's stream now; null: this one does */
export function logPublisher(logger: Logger, publisher: Publisher | null, lobbyStream: string): void {
  if (publisher === null) logger.info({ lobby_stream: lobbyStream }, 'this consumer now publishes to the lobby stream');
  else
    logger.error(
      { lobby_stream: lobbyStream, publisher_label: publisher.label, publisher: publisher.holder },
      'another consumer publishes to the lobby stream, so this one does not: stop one of them, or give it its own lobby stream',
    );
}
