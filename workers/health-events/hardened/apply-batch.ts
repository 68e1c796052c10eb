import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import { streamIdMs } from '../../../shared/contracts/stream-id.ts';
import { toError } from '../../../shared/platform/errors.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { explainDatabaseError } from '../../../shared/platform/postgres/explain-database-error.ts';
import { OwnFaultError } from '../../runtime/circuit-breaker.ts';
import type { OutboxRow } from '../outbox/outbox.ts';
import type { Gap } from './account.ts';
import { replayedFrom, storeEntryDeadLetters } from './dead-letters.ts';
import type { CommitOutcome } from './game-store.ts';
import type { HeldEntries, ReadEvent } from './held-entries.ts';
import { type EventPlan, planEvents, type StoredGame } from './plan-events.ts';
import { earliest, type Position } from './stream-entry.ts';
import type { StreamReader } from './stream-reader.ts';

/** What applying events does to the outside. Whoever provides these repeats them for as long as that can help. */
export interface EventStore {
  loadGames(gameIds: readonly string[]): Promise<Map<string, StoredGame>>;
  commit(commit: { plan: EventPlan; position: Position; gap: Gap | null }): Promise<CommitOutcome>;
  storeDeadLetters(deadLetters: readonly DeadLetter[]): Promise<void>;
  /** notes that what was put back from these dead letters is taken in */
  markStored(deadLetterIds: readonly string[]): Promise<void>;
}

/** What is told of the way that events took. */
export interface EventObserver {
  onCommitted(plan: EventPlan, position: Position, gap: Gap | null, outboxRows: readonly OutboxRow[]): void;
  onConflict(gameIds: readonly string[]): void;
  onDeadLetter(event: ReadEvent, result: 'unknown_game' | 'refused', reason: string): void;
}

export interface ApplyDeps {
  store: EventStore;
  observer: EventObserver;
  held: HeldEntries;
  stream: string;
  graceMs: number;
  /** all fields of an entry; null when it is there no more */
  whole: StreamReader['whole'];
}

/** What is applied together. */
export interface EventBatch {
  events: readonly ReadEvent[];
  /** the place behind the last of them */
  end: Position;
  gap: Gap | null;
  /** the server's clock, in ms since 1970 */
  serverMs: number;
}

/** How often a batch is planned again at once before the games that keep it from being stored have to wait. */
const maxConflicts = 3;

/**
 * Applies a batch of events: each is stored, or held because nothing can be done for its game now, or a dead letter. When
 * the database refuses what is in a batch, its halves are tried, down to the one event that is at fault.
 *
 * @returns false when somebody else reads the stream now
 */
export async function applyBatch({ events, end, gap, serverMs }: EventBatch, deps: ApplyDeps): Promise<boolean> {
  const { store, observer, held, stream, graceMs } = deps;
  let rest = [...events];
  let limit = rest.length;
  let conflicts = 0;
  let unreported = gap;
  const stored = new Set<string>();

  const storeDead = async (
    dead: readonly ReadEvent[],
    result: 'unknown_game' | 'refused',
    code: string,
    reason: string,
  ) => {
    // A batch may be planned more than once.
    const fresh = dead.filter(({ id }) => !stored.has(id));
    if (fresh.length === 0) return;
    const deadLetters = fresh.map((entry) => ({ entry, code, reason }));
    await storeEntryDeadLetters(deadLetters, { stream, storeDeadLetters: store.storeDeadLetters, whole: deps.whole });
    for (const entry of fresh) {
      stored.add(entry.id);
      observer.onDeadLetter(entry, result, reason);
    }
  };

  const isOverdue = ({ id, event }: ReadEvent, nowMs: number): boolean =>
    serverMs - streamIdMs(id) >= graceMs || nowMs - (held.heldSince(event.gameId) ?? nowMs) >= graceMs;

  const applyPart = async (part: readonly ReadEvent[]): Promise<PartOutcome> => {
    const games = await store.loadGames([...new Set(part.map(({ event }) => event.gameId))]);
    const nowMs = performance.now();
    const known = part.filter(({ event }) => games.has(event.gameId));
    const unknown = part.filter(({ event }) => !games.has(event.gameId));
    const overdue = unknown.filter((entry) => isOverdue(entry, nowMs));
    const waiting = unknown.filter((entry) => !overdue.includes(entry));
    if (part.length > 0 && waiting.length === part.length && unreported === null) return { kind: 'committed', waiting };
    await storeDead(overdue, 'unknown_game', 'unknown_game', 'there is no record of the game');
    const next = rest[part.length]?.before ?? end;
    const position = earliest(next, held.before, waiting[0]?.before ?? null);
    const plan = planEvents(games, known, Date.now());
    const outcome = await store.commit({ plan, position, gap: unreported });
    if (outcome.kind !== 'committed') return outcome;
    observer.onCommitted(plan, position, unreported, outcome.outboxRows);
    const replayed = known.flatMap((entry) => replayedFrom(entry) ?? []);
    if (replayed.length > 0) await store.markStored(replayed);
    return { kind: 'committed', waiting };
  };

  /** Holds events, and what is left of their games: nothing of a game may pass what came before it. */
  const hold = (waiting: readonly ReadEvent[], left: readonly ReadEvent[]): ReadEvent[] => {
    const games = new Set(waiting.map(({ event }) => event.gameId));
    const isBehind = ({ event }: ReadEvent): boolean => games.has(event.gameId);
    held.hold([...waiting, ...left.filter(isBehind)], performance.now());
    return left.filter((event) => !isBehind(event));
  };

  for (;;) {
    const part = rest.slice(0, limit);
    const outcome = await applyPart(part).catch(toRefusal);
    if (outcome.kind === 'fenced') return false;
    if (outcome.kind === 'committed') {
      rest = hold(outcome.waiting, rest.slice(part.length));
      if (rest.length === 0) return true;
      limit = rest.length;
      conflicts = 0;
      unreported = null;
    } else if (outcome.kind === 'conflict') {
      observer.onConflict(outcome.gameIds);
      conflicts += 1;
      if (conflicts < maxConflicts) continue;
      const isBusy = ({ event }: ReadEvent): boolean => outcome.gameIds.includes(event.gameId);
      held.hold(rest.filter(isBusy), performance.now());
      rest = rest.filter((event) => !isBusy(event));
      conflicts = 0;
    } else if (part.length > 1) {
      limit = Math.ceil(part.length / 2);
    } else {
      if (part.length === 0) throw outcome.error;
      await storeDead(part, 'refused', outcome.code, explainDatabaseError(outcome.error));
      rest = rest.slice(1);
    }
  }
}

type PartOutcome = Exclude<CommitOutcome, { kind: 'committed' }> | { kind: 'committed'; waiting: ReadEvent[] };

interface Refusal {
  kind: 'refused';
  code: string;
  error: Error;
}

/** @throws what is not the fault of the events */
function toRefusal(thrown: unknown): Refusal {
  const { class: errorClass, code } = classifyDatabaseError(thrown);
  const isInTheEvents = errorClass === 'data' || errorClass === 'duplicate' || thrown instanceof OwnFaultError;
  if (!isInTheEvents) throw thrown;
  return { kind: 'refused', code, error: toError(thrown) };
}
