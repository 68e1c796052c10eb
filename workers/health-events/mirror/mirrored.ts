import { pause } from '../../../shared/platform/deadline.ts';
import { disconnect } from '../../../shared/platform/redis/redis.ts';
import type { SessionDeps } from '../hardened/hardened.ts';
import { logPublisher } from '../observer.ts';
import { createLobbyPlace, leasesOfSilence, type PlaceReply } from '../outbox/lobby-place.ts';
import { createImpatientConnection } from './connection.ts';
import { createMirrorConsumer } from './consumer.ts';
import { createLobbyPublisher } from './lobby-publisher.ts';
import { createOffsetStore } from './offset-store.ts';
import { createRecordStore } from './record-store.ts';

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
 * | another consumer publishes to the lobby | this one's snapshots wait | it does not read until that one has ended |
 *
 * @returns `fenced` when another consumer publishes to the lobby meanwhile
 * @throws Error when Redis fails
 */
export async function readMirrored(deps: SessionDeps): Promise<'stopped' | 'fenced'> {
  const { config, lease, database, redis, logger, metrics, view } = deps;
  const reader = createImpatientConnection(redis, 'sluice:health:reader');
  const writer = createImpatientConnection(redis, 'sluice:health:writer');
  const ended = new AbortController();
  const displaced = new AbortController();
  const signal = AbortSignal.any([deps.signal, displaced.signal]);
  const place = createLobbyPlace({
    ...{ redis: writer, lease, lobbyStream: config.lobbyStream },
    silenceMs: config.leaseMs * leasesOfSilence,
  });
  try {
    await untilFree(place, deps);
    place.stayWhile(AbortSignal.any([signal, ended.signal]), ({ outcome }) => {
      if (isElsewhere(outcome)) displaced.abort();
    });
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
    return displaced.signal.aborted ? 'fenced' : 'stopped';
  } catch (error) {
    if (displaced.signal.aborted) return 'fenced';
    throw error;
  } finally {
    ended.abort();
    await place.release();
    await Promise.all([disconnect(reader), disconnect(writer)]);
  }
}

const lookEveryMs = 1_000;

/** Whether somebody else publishes, or did so last. */
function isElsewhere(outcome: PlaceReply['outcome']): boolean {
  return outcome === 'refused' || outcome === 'fenced' || outcome === 'vacant';
}

/**
 * Waits while another consumer publishes to the lobby's stream: what is read has to be told at once. When Redis does not say
 * whether one does, as it is away or lets nobody run scripts, nothing is waited for, as in the original.
 */
async function untilFree(
  place: ReturnType<typeof createLobbyPlace>,
  { config, logger, signal, view }: SessionDeps,
): Promise<void> {
  while (!signal.aborted) {
    const reply = await place.call('join').catch(() => null);
    if (reply === null || !isElsewhere(reply.outcome)) break;
    if (reply.outcome === 'vacant') {
      await place.call('take', reply.publisher.epoch, String(reply.seq)).catch(() => undefined);
      continue;
    }
    if (view.otherPublisher === null) logPublisher(logger, reply.publisher, config.lobbyStream);
    view.otherPublisher = reply.publisher;
    await pause(lookEveryMs, signal);
  }
  if (view.otherPublisher !== null && !signal.aborted) logPublisher(logger, null, config.lobbyStream);
  view.otherPublisher = null;
}
