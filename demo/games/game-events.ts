/** How a game's record is, in the words of its table. */
export interface GameState {
  status: 'running' | 'engine_unreachable';
  health: string;
}

/** Something that a runtime manager sees a game's container do. Times are offsets from the start of the traffic, in ms. */
export interface GameEvent {
  kind: 'event';
  /** when it is written to the stream */
  atMs: number;
  /** when it was seen: before that, when word of it comes late */
  seenAtMs: number;
  /** which of the games, from 0 */
  game: number;
  type: string;
  containerId: string;
  details: Readonly<Record<string, unknown>>;
  /** how the record of the game is to be when this event has been taken in */
  leaves: GameState;
}

/** Ways in which an entry of the stream is no event. */
export const faults = ['no game', 'no time', 'unknown type', 'unknown game'] as const;
export type Fault = (typeof faults)[number];

/** An entry that becomes a dead letter and changes nothing. */
export interface BadEntry {
  kind: 'bad';
  atMs: number;
  fault: Fault;
  /** tells the bad entries of a run from one another */
  index: number;
}

export type GameEntry = GameEvent | BadEntry;
