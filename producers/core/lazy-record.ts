import type { SerializedRecord } from './record-json.ts';

/** A record that is captured at once and serialised later. What it is made from is let go then. */
export class LazyRecord {
  readonly #estimatedBytes: number;
  #source: SerializedRecord | (() => SerializedRecord);

  /** @param estimatedBytes of the JSON, until it is known */
  constructor(estimatedBytes: number, serialize: () => SerializedRecord) {
    this.#estimatedBytes = estimatedBytes;
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
