import { type HealthEvent, reactions } from '../../../shared/contracts/health-event.ts';
import type { RuntimeStatus } from '../../../shared/contracts/runtime-status.ts';
import { compareStreamIds, streamIdMs } from '../../../shared/contracts/stream-id.ts';

/** What of a game's record the events change or tell of. */
export interface GameRecord {
  status: RuntimeStatus;
  health: string;
  turn: number;
}

/** How far a game's events have been taken in. Times are ms since 1970; null where there was no such event yet. */
export interface Watermark {
  /** of the last entry about this game */
  lastId: string;
  /** of the latest of all observations */
  occurredAtMs: number;
  /** of the latest start or recovery */
  upAtMs: number | null;
  /** of the latest exit, kill or disappearance */
  downAtMs: number | null;
  /** the container that was started last, and when */
  containerId: string | null;
  containerSinceMs: number | null;
  /** the one before it */
  previousContainerId: string | null;
  /** what the last snapshot said; null before the first */
  snapshotStatus: string | null;
  snapshotHealth: string | null;
}

export interface Game {
  record: GameRecord;
  /** null before the first event */
  watermark: Watermark | null;
}

/** What an event came to. */
export type EventResult =
  /** the status changed, and with it the health */
  | 'transitioned'
  /** the health was set, to what it was before or to something else */
  | 'observed'
  /** a later event has said something else already */
  | 'late'
  /** about a container that is not the game's any more */
  | 'stale'
  /** this very entry was taken in before */
  | 'duplicate';

export interface AppliedEvent {
  game: Game;
  result: EventResult;
  /** whether the lobby has to be told */
  publishes: boolean;
}

/** How far ahead of the stream's own clock a producer's may be. Beyond it the stream's counts. */
const clockToleranceMs = 5_000;

/**
 * Takes one entry of the stream into its game. Whatever is delivered twice, or late, or out of order between producers
 * leaves the game as the latest observations have it:
 *
 * - An entry that is not after the last one changes nothing.
 * - Health is of the latest observation.
 * - The engine is lost by an exit unless a later start or recovery is known, and is back by a recovery unless a later exit
 *   is known; a later observation of another kind does not make either of them void.
 * - The exit of a container that is known to be an earlier one says nothing about the game. One that was never heard of is
 *   taken for a later one, whose start is still to come: a container may end at once.
 *
 * The lobby is told of every transition, and whenever status or health is not what it was told last.
 */
export function applyEvent(game: Game, event: HealthEvent, id: string): AppliedEvent {
  const { record, watermark } = game;
  if (watermark !== null && compareStreamIds(id, watermark.lastId) <= 0)
    return { game, result: 'duplicate', publishes: false };
  const atMs = Math.min(event.occurredAtMs, streamIdMs(id) + clockToleranceMs);
  const { summary, transition } = reactions[event.type];
  const isLoss = transition?.to === 'engine_unreachable';
  const isStale = isLoss && isOfEarlierContainer(event, watermark, atMs);
  const isLatest = !isStale && atMs >= (watermark?.occurredAtMs ?? 0);
  const stands = !isStale && atMs >= ((isLoss ? watermark?.upAtMs : watermark?.downAtMs) ?? 0);
  const transitions = transition !== null && stands && record.status === transition.from;
  const after: GameRecord = {
    ...record,
    status: transitions ? transition.to : record.status,
    health: isLatest ? summary : record.health,
  };
  const publishes =
    transitions || after.status !== watermark?.snapshotStatus || after.health !== watermark.snapshotHealth;
  return {
    game: {
      record: after,
      watermark: {
        ...(isStale && watermark !== null ? watermark : moved(watermark, event, atMs)),
        lastId: id,
        snapshotStatus: publishes ? after.status : (watermark?.snapshotStatus ?? null),
        snapshotHealth: publishes ? after.health : (watermark?.snapshotHealth ?? null),
      },
    },
    result: transitions ? 'transitioned' : isStale ? 'stale' : isLatest ? 'observed' : 'late',
    publishes,
  };
}

function isOfEarlierContainer({ containerId }: HealthEvent, watermark: Watermark | null, atMs: number): boolean {
  const { containerId: current = null, containerSinceMs, previousContainerId } = watermark ?? {};
  if (current === null || containerId === null || containerId === current) return false;
  return containerId === previousContainerId || atMs < (containerSinceMs ?? 0);
}

type Times = Omit<Watermark, 'lastId' | 'snapshotStatus' | 'snapshotHealth'>;

function moved(watermark: Watermark | null, { type, containerId }: HealthEvent, atMs: number): Times {
  const isStart = type === 'container_started';
  const isUp = isStart || type === 'probe_recovered';
  const isDown = reactions[type].transition?.to === 'engine_unreachable';
  const current = watermark?.containerId ?? null;
  const isNewest = isStart && containerId !== null && atMs >= (watermark?.containerSinceMs ?? 0);
  const isOther = isStart && containerId !== null && containerId !== current;
  return {
    occurredAtMs: Math.max(watermark?.occurredAtMs ?? 0, atMs),
    upAtMs: isUp ? Math.max(watermark?.upAtMs ?? 0, atMs) : (watermark?.upAtMs ?? null),
    downAtMs: isDown ? Math.max(watermark?.downAtMs ?? 0, atMs) : (watermark?.downAtMs ?? null),
    containerId: isNewest ? containerId : current,
    containerSinceMs: isNewest ? atMs : (watermark?.containerSinceMs ?? null),
    // Of two starts the earlier one's, in whatever order they come.
    previousContainerId: isOther ? (isNewest ? current : containerId) : (watermark?.previousContainerId ?? null),
  };
}
