/** The state of a game's record, in the terms of its table. */
export interface GameState {
  status: 'running' | 'engine_unreachable';
  health: string;
}

/** Something that a runtime manager observes about a game's container. Times are offsets from the start of the traffic, in ms. */
export interface GameEvent {
  kind: 'event';
  /** when it is written to the stream */
  atMs: number;
  /** when it was observed: earlier, if the report is late */
  seenAtMs: number;
  /** the index of the game, from 0 */
  game: number;
  type: string;
  containerId: string;
  details: Readonly<Record<string, unknown>>;
  /** the expected state of the game's record after this event */
  leaves: GameState;
}

/** The ways in which an entry of the stream is not an event. */
export const faults = ['no game', 'no time', 'unknown type', 'unknown game'] as const;
export type Fault = (typeof faults)[number];

/** An entry that becomes a dead letter and changes nothing. */
export interface BadEntry {
  kind: 'bad';
  atMs: number;
  fault: Fault;
  /** distinguishes the bad entries of a run */
  index: number;
}

export type GameEntry = GameEvent | BadEntry;
