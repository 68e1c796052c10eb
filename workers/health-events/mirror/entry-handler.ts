import {
  fieldOf,
  isUnreadable,
  reactions,
  readHealthEvent,
  type StreamFields,
  type UnreadableEvent,
} from '../../../shared/contracts/health-event.ts';
import { snapshotEventType } from '../../../shared/contracts/lobby-event.ts';
import { unlessAborted } from '../../../shared/platform/deadline.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import { createApplyReaction } from './apply-reaction.ts';
import type { LobbyPublisher } from './lobby-publisher.ts';
import type { Observation } from './observation.ts';
import type { RecordStore, RuntimeRecord } from './record-store.ts';

/** An entry of the stream. */
export interface Entry {
  id: string;
  fields: StreamFields;
}

/**
 * Takes in one entry. Once the signal has been given, whatever it would still ask of a store fails.
 *
 * @returns whether the consumer may go on to the next entry. It always may: what goes wrong is logged, and lost
 */
export type HandleEntry = (entry: Entry, signal: AbortSignal) => Promise<boolean>;

export interface HandlerDeps {
  records: RecordStore;
  lobby: LobbyPublisher;
  /** once for each entry, however it ended */
  onConsumed: () => void;
  /** once for each snapshot that was published */
  onPublished: (eventType: string) => void;
  /** UTC milliseconds since 1970 */
  now: () => number;
  logger: Logger;
}

/** Games whose summaries are remembered: ids come from outside, and there may be any number of them. */
const maxRemembered = 100_000;

/**
 * Does with an entry what the original does, its losses included. A snapshot is published when the status changed, or when
 * the event's summary is not the one that last led to a snapshot of the game. These summaries are known to this handler
 * only, and kept for as long as it lives, those of 100,000 games at most.
 */
export function createEntryHandler(deps: HandlerDeps): HandleEntry {
  const { records, lobby, logger } = deps;
  const applyReaction = createApplyReaction(deps);
  const remembered = new Map<string, string>();

  return async (entry, signal) => {
    await process(entry, signal);
    deps.onConsumed();
    return true;
  };

  /** The game that was told of longest ago is forgotten first, which costs one snapshot more when it is told of again. */
  function remember(gameId: string, summary: string): void {
    remembered.delete(gameId);
    remembered.set(gameId, summary);
    if (remembered.size <= maxRemembered) return;
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      return;
    }
  }

  async function process(entry: Entry, signal: AbortSignal): Promise<void> {
    const event = readHealthEvent(entry.fields);
    if (isUnreadable(event)) return logUnreadable(entry, event);
    const reaction = reactions[event.type];
    const observation = { entryId: entry.id, event, reaction, nowMs: deps.now(), signal };
    const record = await load(observation);
    if (record === null) return;
    const changed = await applyReaction(observation, record);
    if (!changed && remembered.get(event.gameId) === reaction.summary) return;
    const fresh = await reload(observation);
    if (fresh === null || !(await publish(observation, fresh))) return;
    deps.onPublished(snapshotEventType);
    // The event's summary, though after a failed write the snapshot said another: the original does so too.
    remember(event.gameId, reaction.summary);
  }

  function logUnreadable({ id, fields }: Entry, { problem, reason }: UnreadableEvent): void {
    if (problem === 'malformed') {
      logger.warn({ stream_entry_id: id, err: reason }, 'health event cannot be read');
      return;
    }
    // Not the type, which is any text here.
    logger.warn({ stream_entry_id: id, game_id: fieldOf(fields, 'game_id') }, 'health event is of an unknown type');
  }

  async function load({ entryId, event: { gameId, type }, signal }: Observation): Promise<RuntimeRecord | null> {
    const about = { stream_entry_id: entryId, game_id: gameId };
    try {
      const record = await unlessAborted(signal, () => records.get(gameId));
      if (record === null) logger.warn({ ...about, event_type: type }, 'health event is of an unknown game');
      return record;
    } catch (error) {
      logger.warn({ ...about, err: error }, 'record of a health event could not be read, the event is lost');
      return null;
    }
  }

  async function reload({ entryId, event: { gameId }, signal }: Observation): Promise<RuntimeRecord | null> {
    const failed = (err: unknown): null => {
      logger.warn({ stream_entry_id: entryId, game_id: gameId, err }, 'record of a snapshot could not be read');
      return null;
    };
    try {
      return (await unlessAborted(signal, () => records.get(gameId))) ?? failed('there is no such record');
    } catch (error) {
      return failed(error);
    }
  }

  /** @returns whether the lobby was told */
  async function publish({ entryId, nowMs, signal }: Observation, record: RuntimeRecord): Promise<boolean> {
    const snapshot = {
      gameId: record.gameId,
      currentTurn: record.currentTurn,
      runtimeStatus: record.status,
      engineHealthSummary: record.engineHealth,
      occurredAtMs: nowMs,
    };
    try {
      await unlessAborted(signal, () => lobby.publish(snapshot));
      return true;
    } catch (error) {
      logger.warn(
        { stream_entry_id: entryId, game_id: record.gameId, err: error },
        'runtime snapshot could not be published',
      );
      return false;
    }
  }
}
