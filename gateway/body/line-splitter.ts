const newline = 0x0a;
const carriageReturn = 0x0d;

/** In place of a line that is longer than it may be; its bytes are not kept. */
export const tooLong = Symbol('too long');

/**
 * Splits bytes into lines, however they are cut into chunks. Empty lines are left out. A line that goes on in the next chunk is kept
 * in one piece of memory, so that a sender of single bytes takes no more than one of whole lines.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #partial = Buffer.alloc(0);
  #length = 0;
  #isTooLong = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** bytes of memory that the unfinished line takes */
  get heldBytes(): number {
    return this.#partial.length;
  }

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Buffer | typeof tooLong> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = this.#finish(chunk.subarray(start, end));
      // Runs of empty lines: a call of indexOf for each would take seconds of a compressed body.
      start = end + 1;
      while (start < chunk.length && (chunk[start] === newline || chunk[start] === carriageReturn)) start += 1;
      if (line !== null) yield line;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, which needs no end of its own. */
  end(): Buffer | typeof tooLong | null {
    return this.#finish(Buffer.alloc(0));
  }

  #finish(rest: Buffer): Buffer | typeof tooLong | null {
    let line: Buffer | typeof tooLong = rest;
    if (this.#isTooLong || this.#length + rest.length > this.#maxLineBytes) line = tooLong;
    else if (this.#length > 0) {
      this.#keep(rest);
      line = this.#partial.subarray(0, this.#length);
    }
    this.#partial = Buffer.alloc(0);
    this.#length = 0;
    this.#isTooLong = false;
    return line === tooLong || line.some((byte) => byte > 0x20) ? line : null;
  }

  #keep(bytes: Buffer): void {
    if (this.#isTooLong) return;
    const length = this.#length + bytes.length;
    if (length > this.#maxLineBytes) {
      this.#isTooLong = true;
      this.#partial = Buffer.alloc(0);
      this.#length = 0;
      return;
    }
    if (length > this.#partial.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(length, 2 * this.#partial.length, 1_024), this.#maxLineBytes),
      );
      this.#partial.copy(grown, 0, 0, this.#length);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#length);
    this.#length = length;
  }
}
