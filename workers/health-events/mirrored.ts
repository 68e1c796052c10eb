import type { SessionDeps } from './hardened.ts';
import { createImpatientConnection } from './mirror/connection.ts';
import { createMirrorConsumer } from './mirror/consumer.ts';
import { createLobbyPublisher } from './mirror/lobby-publisher.ts';
import { createOffsetStore } from './mirror/offset-store.ts';
import { createRecordStore } from './mirror/record-store.ts';

/**
 * Reads the stream as the original does. Where it differs from `readHardened`:
 *
 * | | hardened | mirror |
 * |---|---|---|
 * | at a time | a batch, in one commit | one entry, one call after the other |
 * | the offset | in PostgreSQL, moves with the effect | in Redis, moves after each entry, whatever became of it |
 * | PostgreSQL fails | the same batch again | a line in the log, and the event is lost |
 * | Redis fails | asked again | the worker ends |
 * | delivered again, late, of an old container | changes nothing | is taken as new |
 * | snapshot | through the outbox, when it differs from what the lobby was told | sent at once, when its summary differs from the one this process sent last |
 * | not an event, unknown game | a dead letter | a line in the log |
 * | two at once | the second is fenced off | the lease alone keeps them apart |
 *
 * @throws Error when Redis fails
 */
export async function readMirrored({ config, database, redis, logger, metrics, view, signal }: SessionDeps) {
  const reader = createImpatientConnection(redis, 'sluice:health:reader');
  const writer = createImpatientConnection(redis, 'sluice:health:writer');
  try {
    await createMirrorConsumer({
      reader,
      stream: config.stream,
      label: config.label,
      blockMs: config.blockMs,
      offsets: createOffsetStore({ redis: writer, service: config.service }),
      records: createRecordStore(database),
      lobby: createLobbyPublisher({ redis: writer, stream: config.lobbyStream }),
      onConsumed() {
        view.commits += 1;
        metrics.consumed.inc();
      },
      onPublished: (eventType) => metrics.published.inc({ event_type: eventType }),
      logger,
    }).run(signal);
    return 'stopped';
  } finally {
    reader.disconnect();
    writer.disconnect();
  }
}
