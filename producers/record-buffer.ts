/** A record that waits to be sent. */
export interface Entry {
  json: string;
  /** of the JSON in UTF-8 */
  bytes: number;
  /** a failed run: dropped last */
  failure: boolean;
  /** for the drop counter */
  realm: string | null | undefined;
  strategyType: string | null | undefined;
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
export class RecordBuffer {
  readonly #limits: BufferLimits;
  readonly #failures = new Fifo();
  readonly #successes = new Fifo();
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

  /** Takes the entry in if it can. Returns what was dropped for it: older successes, or the entry itself, or nothing. */
  offer(entry: Entry): Entry[] {
    const dropped: Entry[] = [];
    if (!this.#hasRoomFor(entry)) {
      if (!entry.failure || !this.#couldHaveRoomFor(entry)) return [entry];
      while (!this.#hasRoomFor(entry)) dropped.push(this.#successes.shift() as Entry);
    }
    (entry.failure ? this.#failures : this.#successes).push(entry);
    return dropped;
  }

  /** Takes the next entries, failures first: at most so many records and bytes, but one entry at least if there is any. */
  take(limits: BufferLimits): Entry[] {
    const taken: Entry[] = [];
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
  release(entries: readonly Entry[]): void {
    this.#takenRecords -= entries.length;
    for (const entry of entries) this.#takenBytes -= entry.bytes;
  }

  #hasRoomFor(entry: Entry): boolean {
    const { records, bytes } = this.held;
    return records + 1 <= this.#limits.maxRecords && bytes + entry.bytes <= this.#limits.maxBytes;
  }

  #couldHaveRoomFor(entry: Entry): boolean {
    const { records, bytes } = this.held;
    return (
      records + 1 - this.#successes.length <= this.#limits.maxRecords &&
      bytes + entry.bytes - this.#successes.bytes <= this.#limits.maxBytes
    );
  }
}

/** A queue with a cheap front: Array#shift moves every element. */
class Fifo {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  shift(): Entry | undefined {
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
