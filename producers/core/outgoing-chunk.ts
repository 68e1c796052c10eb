import { recordSeparator } from '../../shared/contracts/canonical-text.ts';
import { type Chunk, chunkId } from '../../shared/contracts/chunk.ts';
import type { Entry } from './record-buffer.ts';

const end = ']}';

/** A chunk of which it is known what became of some of its records, or of all. */
export type SettledChunk<E extends Entry = Entry> = Pick<OutgoingChunk<E>, 'id' | 'entries'>;

/** A chunk ready to be sent. Its text is made, plain or compressed, before it is sent or written to disk for the first time, and never changes then. */
export class OutgoingChunk<E extends Entry = Entry> {
  /** the job id */
  readonly id: string;
  readonly entries: readonly E[];
  /** of the plain text, in UTF-8 */
  readonly plainBytes: number;
  readonly #head: string;
  #data: string | null = null;

  constructor(header: Omit<Chunk, 'records'>, entries: readonly E[]) {
    this.id = chunkId(header);
    this.entries = entries;
    // The records are JSON already; only the envelope is written here.
    this.#head = `${JSON.stringify(header).slice(0, -1)},"records":[`;
    let bytes = Buffer.byteLength(this.#head) + end.length + (entries.length - 1) * recordSeparator.length;
    for (const { record } of entries) bytes += record.text.bytes;
    this.plainBytes = bytes;
  }

  /** the job data, as JSON: the plain text if it was not compressed before */
  get data(): string {
    return this.#data ?? this.setData(this.writePlain(Buffer.allocUnsafe(this.plainBytes)).toString());
  }

  /** Whether the text is made. */
  get hasData(): boolean {
    return this.#data !== null;
  }

  /** Decides the text of a chunk that has none yet. Then the records are not needed any more. */
  setData(data: string): string {
    this.#data = data;
    for (const { record } of this.entries) record.letGo();
    return data;
  }

  /** Writes the plain text of a chunk that has no text yet to the beginning of some memory, which has to be large enough. */
  writePlain(target: Buffer): Buffer {
    // A realm may have any characters.
    let at = target.write(this.#head);
    for (const [index, { record }] of this.entries.entries()) {
      if (index > 0) at += target.write(recordSeparator, at, 'latin1');
      at = record.text.copyTo(target, at);
    }
    at += target.write(end, at, 'latin1');
    return target.subarray(0, at);
  }
}
