/** Of memory that several texts share. */
const blockBytes = 64 * 1_024;

/** A larger text has memory of its own. */
const mostShared = blockBytes / 8;

/** Blocks that are kept for the next texts of all producers of the process: 4 MiB. */
const mostFree = 64;

const beginningBytes = 256;

interface Block {
  readonly buffer: Buffer;
  /** that are still needed */
  texts: number;
  /** nothing more is put into it */
  isFull: boolean;
}

const free: Block[] = [];

function leave(block: Block): void {
  if (block.isFull && block.texts === 0 && free.length < mostFree) free.push(block);
}

/** A text in UTF-8, outside of V8's heap: what waits for long is neither copied nor marked by the garbage collector. */
export class StoredText {
  readonly bytes: number;
  readonly #at: number;
  #block: Block | null;

  constructor(block: Block, at: number, bytes: number) {
    this.#block = block;
    this.#at = at;
    this.bytes = bytes;
    block.texts += 1;
  }

  /** Returns where the text ends in the target. @throws after `letGo` */
  copyTo(target: Buffer, at: number): number {
    return at + this.#memory.copy(target, at, this.#at, this.#at + this.bytes);
  }

  /** Its first characters, as far as they are ASCII: enough for the id of a request. @throws after `letGo` */
  get beginning(): string {
    return this.#memory.toString('latin1', this.#at, this.#at + Math.min(beginningBytes, this.bytes));
  }

  /** Call this when the text is not needed any more. */
  letGo(): void {
    if (this.#block === null) return;
    this.#block.texts -= 1;
    leave(this.#block);
    this.#block = null;
  }

  get #memory(): Buffer {
    if (this.#block === null) throw new Error('the text was let go');
    return this.#block.buffer;
  }
}

/** Stores a text in memory of its own. */
export function storeText(text: string): StoredText {
  const buffer = Buffer.from(text);
  return new StoredText({ buffer, texts: 0, isFull: false }, 0, buffer.length);
}

/**
 * Stores small texts in blocks of memory that they share. A block is used again when all of its texts were let go, so only
 * texts that leave about in the order in which they came should be stored by the same one.
 */
export class TextBlocks {
  #block: Block | null = null;
  #at = 0;

  /** @param bytes of the text in UTF-8 */
  store(text: string, bytes: number): StoredText {
    if (bytes > mostShared) return storeText(text);
    if (this.#block !== null && this.#at + bytes > blockBytes) {
      this.#block.isFull = true;
      leave(this.#block);
      this.#block = null;
    }
    const block = this.#block ?? this.#next();
    const at = this.#at;
    this.#at += block.buffer.write(text, at, bytes);
    return new StoredText(block, at, bytes);
  }

  #next(): Block {
    const block = free.pop() ?? { buffer: Buffer.allocUnsafeSlow(blockBytes), texts: 0, isFull: false };
    block.isFull = false;
    this.#block = block;
    this.#at = 0;
    return block;
  }
}
