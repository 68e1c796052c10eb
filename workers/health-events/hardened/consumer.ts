import type { DeadLetter } from '../../../dead-letters/dead-letter.ts';
import {
  isUnreadable,
  readFields,
  readHealthEvent,
  type UnreadableEvent,
} from '../../../shared/contracts/health-event.ts';
import { firstStreamId } from '../../../shared/contracts/stream-id.ts';
import { pause } from '../../../shared/platform/deadline.ts';
import { accountFor, type Gap, isAnotherStream, type ReadAccount } from './account.ts';
import type { EventBatch } from './apply-batch.ts';
import { storeEntryDeadLetters } from './dead-letters.ts';
import type { HeldEntries, ReadEvent } from './held-entries.ts';
import type { Position, StreamEntry } from './stream-entry.ts';
import type { StreamRead, StreamReader } from './stream-reader.ts';

/** An entry that is no event, and why. */
export interface BadEntry extends StreamEntry {
  problem: 'malformed' | 'unknown_type';
  reason: string;
}

export interface ConsumerDeps {
  reader: Pick<StreamReader, 'read' | 'whole'> & {
    /** Resolves when there is an entry after `afterId`, or after `forMs`. */
    wait(afterId: string, forMs: number): Promise<unknown>;
  };
  held: HeldEntries;
  stream: string;
  maxEntries: number;
  blockMs: number;
  /** ends the reading after the batch under way */
  signal: AbortSignal;
  /** false: somebody else reads the stream now */
  apply(batch: EventBatch): Promise<boolean>;
  storeDeadLetters(deadLetters: readonly DeadLetter[]): Promise<void>;
  /** makes the beginning of the stream the place that is stored */
  beginAnew(): Promise<void>;
  /** @param serverAheadMs the server's time since 1970, less that of the clock that never jumps */
  onRead(account: ReadAccount, serverAheadMs: number): void;
  onBad(entry: BadEntry): void;
  /** @param waiting the events that were held: nobody can read them any more, they are dead letters now */
  onAnotherStream(position: Position, read: StreamRead, waiting: readonly ReadEvent[]): void;
}

const orphaned = { code: 'orphaned', reason: 'its stream was begun anew while the entry had to wait' };

const retryHeldMs = 200;
/** Events of games that have to wait, at most, and the characters of their fields: beyond it nothing more is read. */
const maxHeld = 1_000;
const maxHeldChars = 4 * 1_024 * 1_024;

/**
 * Reads the stream from a place on and has each batch applied before the next one is read.
 *
 * @returns `stopped` when the signal aborts, `fenced` when somebody else reads the stream now
 */
export async function consume(from: Position, deps: ConsumerDeps): Promise<'stopped' | 'fenced'> {
  const { reader, held, stream, signal } = deps;
  let position = from;
  let retryAtMs = 0;
  let serverAheadMs = 0;

  /** @returns false when fenced */
  const apply = async (events: readonly ReadEvent[], end: Position, gap: Gap | null): Promise<boolean> => {
    const goesOn = await deps.apply({ events, end, gap, serverMs: performance.now() + serverAheadMs });
    held.forgetReleased();
    return goesOn;
  };
  const delayRetry = (): void => {
    retryAtMs = performance.now() + retryHeldMs;
  };

  while (!signal.aborted) {
    if (held.size > 0 && performance.now() >= retryAtMs) {
      if (!(await apply(held.takeAll(), position, null))) return 'fenced';
      delayRetry();
    }
    const room = maxHeld - held.size;
    if (room <= 0 || held.chars >= maxHeldChars) {
      await pause(retryHeldMs, signal);
      continue;
    }

    const limit = Math.min(deps.maxEntries, room);
    const read = await reader.read(position.lastId, limit);
    serverAheadMs = read.serverMs - performance.now();
    if (isAnotherStream(position, read.facts)) {
      const waiting = held.takeAll();
      held.forgetReleased();
      // An entry of the new stream may have the id of an old one.
      const whole = async () => null;
      const dead = waiting.map((entry) => ({ entry, ...orphaned }));
      await storeEntryDeadLetters(dead, { stream, storeDeadLetters: deps.storeDeadLetters, whole });
      deps.onAnotherStream(position, read, waiting);
      await deps.beginAnew();
      position = { lastId: firstStreamId, entriesRead: 0 };
      continue;
    }
    const ids = read.entries.map(({ id }) => id);
    const account = accountFor(position, read.facts, ids, read.isAtEnd);
    deps.onRead(account, serverAheadMs);
    if (ids.length === 0 && account.gap === null) {
      position = account.position;
      // What the stream is like was dear enough for one answer.
      if (!read.isAtEnd) continue;
      const forMs = held.size > 0 ? Math.min(deps.blockMs, retryAtMs - performance.now()) : deps.blockMs;
      await reader.wait(position.lastId, forMs);
      continue;
    }

    const { events, bad } = sort(withPlaces(read.entries, position, account));
    const dead = bad.map((entry) => ({ entry, code: entry.problem, reason: entry.reason }));
    await storeEntryDeadLetters(dead, { stream, storeDeadLetters: deps.storeDeadLetters, whole: reader.whole });
    for (const entry of bad) deps.onBad(entry);
    const queued = events.filter(({ event }) => held.isHeld(event.gameId));
    held.hold(queued, performance.now());
    const wasHolding = held.size > 0;
    const fresh = events.filter((event) => !queued.includes(event));
    if (!(await apply(fresh, account.position, account.gap))) return 'fenced';
    if (!wasHolding) delayRetry();
    position = account.position;
  }
  return 'stopped';
}

function withPlaces(entries: StreamRead['entries'], from: Position, { position }: ReadAccount): StreamEntry[] {
  const passed = position.entriesRead === null ? null : position.entriesRead - entries.length;
  return entries.map((entry, index) => ({
    ...entry,
    before: {
      lastId: entries[index - 1]?.id ?? from.lastId,
      entriesRead: passed === null ? null : passed + index,
    },
  }));
}

function sort(entries: readonly StreamEntry[]): { events: ReadEvent[]; bad: BadEntry[] } {
  const events: ReadEvent[] = [];
  const bad: BadEntry[] = [];
  for (const entry of entries) {
    const event = whyTooLong(entry) ?? readHealthEvent(entry.fields);
    if (isUnreadable(event)) bad.push({ ...entry, ...event });
    else events.push({ ...entry, event });
  }
  return { events, bad };
}

function whyTooLong({ cut }: StreamEntry): UnreadableEvent | null {
  const field = cut?.tooLong.find(({ name }) => readFields.some((read) => read === name));
  if (field === undefined) return null;
  return { problem: 'malformed', reason: `${field.name} has ${field.bytes} bytes, more than are read` };
}
