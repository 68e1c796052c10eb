import type { SerializedRecord } from './record-json.ts';
import { type StoredText, storeText, type TextBlocks } from './text-blocks.ts';

/** What a record is made of, read from what the caller gave. */
export interface CapturedRecord {
  /** of the JSON, in UTF-8: an estimate */
  readonly bytes: number;
  /** it has `traceId` or `spanId`, so its chunk is of version 2 */
  readonly hasSpan: boolean;
  /** May take some ms. */
  write(): SerializedRecord;
}

/** A record that is captured at once and serialised later. What it is made from is let go then. */
export class LazyRecord {
  readonly hasSpan: boolean;
  readonly #blocks: TextBlocks | null;
  #captured: CapturedRecord | null;
  #bytes: number;
  #text: StoredText | null = null;

  /** @param blocks where its text is stored. @default null: in memory of its own */
  constructor(captured: CapturedRecord, blocks: TextBlocks | null = null) {
    this.hasSpan = captured.hasSpan;
    this.#bytes = captured.bytes;
    this.#captured = captured;
    this.#blocks = blocks;
  }

  /** Of the JSON in UTF-8: an estimate until `serialize` was called. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first call does the work, which may take some ms. */
  serialize(): void {
    if (this.#captured === null) return;
    const { json, bytes } = this.#captured.write();
    this.#captured = null;
    this.#bytes = bytes;
    this.#text = this.#blocks?.store(json, bytes) ?? storeText(json);
  }

  /** The JSON. @throws after `letGo` */
  get text(): StoredText {
    this.serialize();
    if (this.#text === null) throw new Error('the record was let go');
    return this.#text;
  }

  /** Call this when nobody needs the record any more. */
  letGo(): void {
    this.#captured = null;
    this.#text?.letGo();
    this.#text = null;
  }
}
