/** What the gauges ask when they are scraped. */
export interface BufferDepth {
  records: number;
  bytes: number;
}

/** A record that waits to be sent. */
export interface Entry {
  readonly json: string;
  /** of the JSON in UTF-8 */
  readonly bytes: number;
  /** a failed run: dropped last. @default false */
  readonly failure?: boolean;
  /** it has `traceId` or `spanId`, so that its chunk is of version 2. @default false */
  readonly hasSpan?: boolean;
}

/** What the buffer holds at most, sent but unacknowledged records included. */
export interface BufferLimits {
  maxRecords: number;
  maxBytes: number;
}

/**
 * Records on their way to the queue, bounded by number and by bytes. A record takes up room from the moment it is
 * offered until it is released, that is, until Redis has it.
 *
 * When there is no room, a success gives way before a failure: an arriving failure evicts the oldest waiting
 * successes, an arriving success is turned away. Records that have been taken to be sent are never evicted.
 * Failures are taken first, so that they are the last to be lost in a crash, too.
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

  /** Records waiting to be taken. */
  get waiting(): { records: number; bytes: number } {
    return {
      records: this.#failures.length + this.#successes.length,
      bytes: this.#failures.bytes + this.#successes.bytes,
    };
  }

  /** All records that take up room, those being sent included. */
  get held(): { records: number; bytes: number } {
    const { records, bytes } = this.waiting;
    return { records: records + this.#takenRecords, bytes: bytes + this.#takenBytes };
  }

  /** Whether one more entry of so many bytes would be taken in without dropping another. */
  hasRoomFor(bytes: number): boolean {
    const { held } = this;
    return held.records + 1 <= this.#limits.maxRecords && held.bytes + bytes <= this.#limits.maxBytes;
  }

  /** Takes the entry in if it can. Returns what was dropped for it: older successes, or the entry itself, or nothing. */
  offer(entry: E): E[] {
    const dropped: E[] = [];
    if (!this.hasRoomFor(entry.bytes)) {
      if (!entry.failure || !this.#couldHaveRoomFor(entry)) return [entry];
      while (!this.hasRoomFor(entry.bytes)) dropped.push(this.#successes.shift() as E);
    }
    (entry.failure ? this.#failures : this.#successes).push(entry);
    return dropped;
  }

  /** Takes the next entries, failures first: at most so many records and bytes, but one entry at least if there is any. */
  take(limits: BufferLimits): E[] {
    const taken: E[] = [];
    let bytes = 0;
    for (const queue of [this.#failures, this.#successes]) {
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

  /** Gives back the room of entries that were taken. */
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

/** A queue with a cheap front: Array#shift moves every element. */
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
