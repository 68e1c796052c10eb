import type { HealthEvent } from '../../../shared/contracts/health-event.ts';
import { compareStreamIds } from '../../../shared/contracts/stream-id.ts';
import type { Position, StreamEntry } from './stream-entry.ts';

/** An entry that could be read. */
export interface ReadEvent extends StreamEntry {
  event: HealthEvent;
}

/**
 * Events of games that nothing can be done for now. The events of other games pass them; later ones of the same game
 * queue up behind. While one is held, the offset that is saved stays before it.
 */
export function createHeldEntries() {
  let held: ReadEvent[] = [];
  let chars = 0;
  const since = new Map<string, number>();

  return {
    get size(): number {
      return held.length;
    },

    /** of all their fields */
    get chars(): number {
      return chars;
    },

    get oldestId(): string | null {
      return held[0]?.id ?? null;
    },

    isHeld: (gameId: string): boolean => since.has(gameId),

    /** Since when a game's events are held, in ms of the clock that `hold` is told of. */
    heldSince: (gameId: string): number | undefined => since.get(gameId),

    hold(events: readonly ReadEvent[], nowMs: number): void {
      if (events.length === 0) return;
      held = [...held, ...events].sort((a, b) => compareStreamIds(a.id, b.id));
      chars += charsOf(events);
      for (const { event } of events) if (!since.has(event.gameId)) since.set(event.gameId, nowMs);
    },

    /** Hands all of them out, in the order of the stream; what has to wait on is to be held again. */
    takeAll(): ReadEvent[] {
      const all = held;
      held = [];
      chars = 0;
      return all;
    },

    /** Forgets the games that nothing is held of any more. */
    forgetReleased(): void {
      const games = new Set(held.map(({ event }) => event.gameId));
      for (const gameId of since.keys()) if (!games.has(gameId)) since.delete(gameId);
    },

    /** Where the reader stood before the first of them; null when nothing is held. */
    get before(): Position | null {
      return held[0]?.before ?? null;
    },
  };
}

function charsOf(events: readonly ReadEvent[]): number {
  return events.reduce((sum, { fields }) => fields.reduce((chars, text) => chars + text.length, sum), 0);
}

export type HeldEntries = ReturnType<typeof createHeldEntries>;
