import type { Reaction } from '../../../shared/contracts/health-event.ts';
import { unlessAborted } from '../../../shared/platform/deadline.ts';
import type { Logger } from '../../../shared/platform/logging/logger.ts';
import type { Observation } from './observation.ts';
import type { RecordStore, RuntimeRecord } from './record-store.ts';

/** The record is the one that was read before; whether its status is still the same is for the database to say. */
export type ApplyReaction = (observation: Observation, record: RuntimeRecord) => Promise<boolean>;

/**
 * Changes a game's record as its event asks: the status and the health together where the status may go that way, else
 * the health alone. What fails is logged, and not tried again.
 *
 * @returns a function that tells whether the status was changed
 */
export function createApplyReaction({ records, logger }: { records: RecordStore; logger: Logger }): ApplyReaction {
  return async (observation, record) => {
    const { transition } = observation.reaction;
    const ended = transition === null ? 'not from here' : await changeStatus(observation, record, transition);
    // After a failure the health is left alone as well.
    if (ended === 'not from here') await changeHealth(observation);
    return ended === 'changed';
  };

  async function changeStatus(
    { entryId, reaction: { summary }, nowMs, signal }: Observation,
    { gameId, status }: RuntimeRecord,
    { from, to }: NonNullable<Reaction['transition']>,
  ): Promise<'changed' | 'not from here' | 'failed'> {
    const about = { stream_entry_id: entryId, game_id: gameId };
    const failed = (err: unknown): 'failed' => {
      logger.warn({ ...about, err }, 'runtime status could not be changed');
      return 'failed';
    };
    try {
      const outcome = await unlessAborted(signal, () => records.updateStatus({ gameId, from, to, summary, nowMs }));
      switch (outcome) {
        case 'updated':
          logger.info({ ...about, from_status: from, to_status: to, engine_health: summary }, 'runtime status changed');
          return 'changed';
        case 'conflict':
        case 'invalid_transition':
          logger.debug(
            { ...about, current_status: status, expected_from: from, engine_health: summary },
            'runtime status stays, only the engine health changes',
          );
          return 'not from here';
        case 'not_found':
          return failed('there is no such record');
      }
    } catch (error) {
      return failed(error);
    }
  }

  /** That the record has gone since it was read is not worth a word. */
  async function changeHealth({ entryId, event: { gameId }, reaction, nowMs, signal }: Observation): Promise<void> {
    try {
      await unlessAborted(signal, () => records.updateEngineHealth({ gameId, summary: reaction.summary, nowMs }));
    } catch (error) {
      logger.warn({ stream_entry_id: entryId, game_id: gameId, err: error }, 'engine health could not be changed');
    }
  }
}
