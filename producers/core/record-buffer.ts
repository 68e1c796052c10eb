import type { LazyRecord } from './lazy-record.ts';
import type { Tally } from './tally.ts';

/** Read by the gauges at each scrape. */
export interface BufferDepth {
  records: number;
  bytes: number;
}

/** Settled once it is known what became of a record; only the first call counts. */
export interface DeliveryAck {
  succeed(): void;
  fail(error: Error): void;
}

/** A record that waits to be sent. */
export interface Entry {
  readonly record: LazyRecord;
  /** that it takes up from the offer to the release: of the JSON in UTF-8, or an estimate */
  readonly bytes: number;
  /** a failed run: dropped last. @default false */
  readonly failure?: boolean;
  /** of a durable send. @default null: nobody waits for this record */
  readonly ack?: DeliveryAck | null;
  /** where it is counted. @default null: its chunk says nothing to the ledger */
  readonly tally?: Tally | null;
}

/** Which of the waiting records are meant. */
export type Part = 'all' | 'failures' | 'successes';

/** The most that the buffer holds, including records that are sent but not acknowledged. */
export interface BufferLimits {
  maxRecords: number;
  maxBytes: number;
}

/**
 * Holds records on their way to the queue, bounded by number and by bytes. A record takes up room from the moment it is
 * offered until it is released, that is, until Redis or the disk has it.
 *
 * Without room, failures go before successes: a new failure evicts the oldest waiting successes, and a new success is turned
 * away. Records that have been taken to be sent are never evicted. Failures are taken first, so that they are also the last
 * to be lost in a crash.
 */
export class RecordBuffer<E extends Entry = Entry> {
  readonly #limits: BufferLimits;
  readonly #failures = new Fifo<E>();
  readonly #successes = new Fifo<E>();
  #takenRecords = 0;
  #takenBytes = 0;

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  /** Records that wait to be taken. */
  get waiting(): { records: number; bytes: number } {
    return this.waitingOf('all');
  }

  /** Those of them that are meant. */
  waitingOf(part: Part): { records: number; bytes: number } {
    if (part !== 'all') {
      const { length, bytes } = part === 'failures' ? this.#failures : this.#successes;
      return { records: length, bytes };
    }
    return {
      records: this.#failures.length + this.#successes.length,
      bytes: this.#failures.bytes + this.#successes.bytes,
    };
  }

  /** All records that take up room, including those being sent. */
  get held(): { records: number; bytes: number } {
    const { records, bytes } = this.waiting;
    return { records: records + this.#takenRecords, bytes: bytes + this.#takenBytes };
  }

  /** Whether one more entry of so many bytes fits without dropping another. */
  hasRoomFor(bytes: number): boolean {
    const { held } = this;
    return held.records + 1 <= this.#limits.maxRecords && held.bytes + bytes <= this.#limits.maxBytes;
  }

  /** Adds the entry if possible. Returns what was dropped: older successes, the entry itself, or nothing. */
  offer(entry: E): E[] {
    const dropped: E[] = [];
    if (!this.hasRoomFor(entry.bytes)) {
      if (!entry.failure || !this.#couldHaveRoomFor(entry)) return [entry];
      while (!this.hasRoomFor(entry.bytes)) dropped.push(this.#successes.shift() as E);
    }
    (entry.failure ? this.#failures : this.#successes).push(entry);
    return dropped;
  }

  /** Takes the next entries, failures first: at most so many records and bytes, but at least one entry if there is any. */
  take(limits: BufferLimits, part: Part = 'all'): E[] {
    const taken: E[] = [];
    let bytes = 0;
    for (const queue of [this.#failures, this.#successes]) {
      if (part !== 'all' && queue !== (part === 'failures' ? this.#failures : this.#successes)) continue;
      for (let next = queue.first; next !== undefined; next = queue.first) {
        const full = taken.length >= limits.maxRecords || (taken.length > 0 && bytes + next.bytes > limits.maxBytes);
        if (full) break;
        queue.shift();
        taken.push(next);
        bytes += next.bytes;
      }
    }
    this.#takenRecords += taken.length;
    this.#takenBytes += bytes;
    return taken;
  }

  /** Frees the room of entries that were taken. */
  release(entries: readonly E[]): void {
    this.#takenRecords -= entries.length;
    for (const entry of entries) this.#takenBytes -= entry.bytes;
  }

  #couldHaveRoomFor(entry: E): boolean {
    const { records, bytes } = this.held;
    return (
      records + 1 - this.#successes.length <= this.#limits.maxRecords &&
      bytes + entry.bytes - this.#successes.bytes <= this.#limits.maxBytes
    );
  }
}

/** A queue whose `shift` is cheap: Array#shift moves every element. */
class Fifo<E extends Entry> {
  #entries: (E | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): E | undefined {
    return this.#entries[this.#head];
  }

  push(entry: E): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  shift(): E | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= entry.bytes;
    if (this.#head > 1_000 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}
