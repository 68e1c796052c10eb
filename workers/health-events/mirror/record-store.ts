import type { HealthSummary } from '../../../shared/contracts/health-event.ts';
import { isAllowedTransition, type RuntimeStatus } from '../../../shared/contracts/runtime-status.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';

/** Of a game's record, what this consumer reads. */
export interface RuntimeRecord {
  gameId: string;
  status: string;
  /** empty before anything was observed */
  engineHealth: string;
  currentTurn: number;
}

export interface StatusUpdate {
  gameId: string;
  /** the status that the record must have for anything to be changed */
  from: RuntimeStatus;
  to: RuntimeStatus;
  /** left as it is when absent */
  summary?: HealthSummary;
  /** UTC milliseconds since 1970 */
  nowMs: number;
}

export interface HealthUpdate {
  gameId: string;
  summary: HealthSummary;
  /** UTC milliseconds since 1970 */
  nowMs: number;
}

export type StatusOutcome =
  | 'updated'
  /** the record has another status than was expected */
  | 'conflict'
  | 'not_found'
  /** no status may go that way, whatever the record has; the database was not asked */
  | 'invalid_transition';

/** The records of the games. Whatever has no outcome of its own is thrown as the database said it. */
export interface RecordStore {
  /** @returns null when there is no such game */
  get(gameId: string): Promise<RuntimeRecord | null>;
  /** Compares and swaps, in one statement. */
  updateStatus(update: StatusUpdate): Promise<StatusOutcome>;
  /** Changes the health alone, in whatever status; the last to write wins. */
  updateEngineHealth(update: HealthUpdate): Promise<'updated' | 'not_found'>;
}

export function createRecordStore(database: Database): RecordStore {
  const records = database.runtimeRecord;
  const exists = async (gameId: string): Promise<boolean> => (await records.count({ where: { gameId } })) > 0;
  return {
    get: (gameId) =>
      records.findUnique({
        where: { gameId },
        select: { gameId: true, status: true, engineHealth: true, currentTurn: true },
      }),
    async updateStatus({ gameId, from, to, summary, nowMs }) {
      if (!isAllowedTransition(from, to)) return 'invalid_transition';
      const { count } = await records.updateMany({
        where: { gameId, status: from },
        data: {
          status: to,
          ...(summary === undefined ? {} : { engineHealth: summary }),
          ...timesOf(from, to, new Date(nowMs)),
        },
      });
      if (count > 0) return 'updated';
      return (await exists(gameId)) ? 'conflict' : 'not_found';
    },
    async updateEngineHealth({ gameId, summary, nowMs }) {
      const { count } = await records.updateMany({
        where: { gameId },
        data: { engineHealth: summary, updatedAt: new Date(nowMs) },
      });
      return count > 0 ? 'updated' : 'not_found';
    },
  };
}

/** The times that a change of status sets. A game starts once: that it can be reached again is no start. */
function timesOf(from: RuntimeStatus, to: RuntimeStatus, now: Date) {
  return {
    updatedAt: now,
    ...(from === 'starting' && to === 'running' ? { startedAt: now } : {}),
    ...(to === 'stopped' ? { stoppedAt: now } : {}),
    ...(to === 'finished' ? { finishedAt: now } : {}),
  };
}
