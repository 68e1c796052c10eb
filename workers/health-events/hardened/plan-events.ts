import type { HealthEventType } from '../../../shared/contracts/health-event.ts';
import type { RuntimeSnapshot } from '../../../shared/contracts/lobby-event.ts';
import { applyEvent, type EventResult, type Game } from './apply-event.ts';
import type { ReadEvent } from './held-entries.ts';

/** A game as it is stored. */
export interface StoredGame extends Game {
  /** changes with every change of the record by anybody */
  version: string;
}

/** A game after its events, to be stored if its record is still of `version`. */
export interface PlannedGame extends StoredGame {
  gameId: string;
  /** whether the record itself changes, not only how far its events were taken in */
  changes: boolean;
}

/** What a batch of events does. */
export interface EventPlan {
  games: PlannedGame[];
  /** in the order of the events that they tell of */
  snapshots: RuntimeSnapshot[];
  results: { type: HealthEventType; result: EventResult }[];
  transitions: { gameId: string; entryId: string; from: string; to: string; health: string }[];
}

/** Takes events into their games, in order. @param games those of the events, by id; events of others are left out */
export function planEvents(
  games: ReadonlyMap<string, StoredGame>,
  events: readonly ReadEvent[],
  nowMs: number,
): EventPlan {
  const after = new Map<string, PlannedGame>();
  const plan: EventPlan = { games: [], snapshots: [], results: [], transitions: [] };
  for (const { id, event } of events) {
    const { gameId, type } = event;
    const stored = games.get(gameId);
    if (stored === undefined) continue;
    const before: Game = after.get(gameId) ?? stored;
    const { game, result, publishes } = applyEvent(before, event, id);
    plan.results.push({ type, result });
    if (result === 'duplicate') continue;
    after.set(gameId, { ...game, gameId, version: stored.version, changes: !isSame(stored, game) });
    const { status, health, turn } = game.record;
    if (result === 'transitioned')
      plan.transitions.push({ gameId, entryId: id, from: before.record.status, to: status, health });
    if (publishes)
      plan.snapshots.push({
        gameId,
        currentTurn: turn,
        runtimeStatus: status,
        engineHealthSummary: health,
        occurredAtMs: nowMs,
      });
  }
  plan.games.push(...after.values());
  return plan;
}

function isSame({ record: a }: Game, { record: b }: Game): boolean {
  return a.status === b.status && a.health === b.health;
}
