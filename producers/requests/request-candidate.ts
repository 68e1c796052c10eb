import type { Arrival, AwaitedEntry } from './arrivals.ts';
import type { TakenRequest } from './request-record.ts';

/** A request on its way into the buffer: its JSON is written when it is first asked for, and its bodies are let go then. */
export class RequestCandidate {
  #taken: TakenRequest | null;
  #entry: AwaitedEntry | null = null;
  readonly #arrival: Arrival | null;

  constructor(taken: TakenRequest, arrival: Arrival | null) {
    this.#taken = taken;
    this.#arrival = arrival;
  }

  /** What the entry takes in the buffer at least, in bytes; exactly, once it is written. */
  get leastBytes(): number {
    return this.#entry?.bytes ?? this.#taken?.leastBytes ?? 0;
  }

  /** The entry for the buffer. The first call may take some ms. */
  get entry(): AwaitedEntry {
    if (this.#entry === null) {
      const { json, bytes } = this.#taken?.write() ?? { json: '', bytes: Number.POSITIVE_INFINITY };
      this.#entry = { json, bytes, hasSpan: this.#taken?.hasSpan ?? false, arrival: this.#arrival };
      this.#taken = null;
    }
    return this.#entry;
  }
}
