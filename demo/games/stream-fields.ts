import type { BadEntry, GameEntry, GameEvent } from './game-events.ts';

/** The names of one run of the demo. Everything that it writes to the stream contains the run's name. */
export interface GameNames {
  /** of registered games */
  gameId(game: number): string;
  /** of a bad entry, inside its text; for a game that is not registered, it is the id */
  mark(index: number): string;
  /** the part that every text of this run contains */
  prefix: string;
  markIn(text: string): string | null;
}

export function nameGames(run: string): GameNames {
  const prefix = `game-${run}-`;
  const markPattern = new RegExp(`${prefix}bad-\\d+`);
  return {
    gameId: (game) => `${prefix}${String(game + 1).padStart(4, '0')}`,
    mark: (index) => `${prefix}bad-${index + 1}`,
    prefix,
    markIn: (text) => markPattern.exec(text)?.[0] ?? null,
  };
}

/** An entry as fields and values of the stream, with the contract's five names. */
export function toStreamFields(entry: GameEntry, names: GameNames, startedAtMs: number): string[] {
  return entry.kind === 'event' ? eventFields(entry, names, startedAtMs) : badFields(entry, names, startedAtMs);
}

function eventFields({ game, containerId, type, seenAtMs, details }: GameEvent, names: GameNames, startedAtMs: number) {
  return toFields({
    game_id: names.gameId(game),
    container_id: containerId,
    event_type: type,
    occurred_at_ms: String(Math.round(startedAtMs + seenAtMs)),
    details: JSON.stringify(details),
  });
}

function badFields({ fault, index, atMs }: BadEntry, names: GameNames, startedAtMs: number): string[] {
  const mark = names.mark(index);
  const good = {
    game_id: names.gameId(0),
    container_id: '000000000000',
    event_type: 'container_exited',
    occurred_at_ms: String(Math.round(startedAtMs + atMs)),
    details: JSON.stringify({ note: mark }),
  };
  switch (fault) {
    case 'no game':
      return toFields({ ...good, game_id: '' });
    case 'no time':
      return toFields({ ...good, occurred_at_ms: 'yesterday' });
    case 'unknown type':
      return toFields({ ...good, event_type: 'container_paused' });
    case 'unknown game':
      return toFields({ ...good, game_id: mark });
  }
}

function toFields(entry: Readonly<Record<string, string>>): string[] {
  return Object.entries(entry).flat();
}
