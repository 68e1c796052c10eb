import type { SerializedRecord } from './record-json.ts';

/** A record that is captured at once and serialised later. What it is made from is let go then. */
export class LazyRecord {
  /** it has `traceId` or `spanId`, so its chunk is of version 2 */
  readonly hasSpan: boolean;
  readonly #estimatedBytes: number;
  #source: SerializedRecord | (() => SerializedRecord);

  /** @param captured.bytes of the JSON: an estimate, until the JSON is known */
  constructor(captured: { bytes: number; hasSpan: boolean }, serialize: () => SerializedRecord) {
    this.hasSpan = captured.hasSpan;
    this.#estimatedBytes = captured.bytes;
    this.#source = serialize;
  }

  /** Of the JSON in UTF-8: an estimate until `serialize` was called. */
  get bytes(): number {
    return typeof this.#source === 'function' ? this.#estimatedBytes : this.#source.bytes;
  }

  /** The first call does the work, which may take some ms. */
  serialize(): SerializedRecord {
    if (typeof this.#source === 'function') this.#source = this.#source();
    return this.#source;
  }
}
