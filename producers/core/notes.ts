/** Collects what was changed to make a record storable, in order, and keeps it short. */
export class Notes {
  #lines: string[];
  #changes = 0;
  readonly #maxChanges = 5;
  readonly #redact: (line: string) => string;

  /**
   * @param lines what is to be said in any case, first. @default nothing
   * @param redact takes out what may not be said: notes quote values. @default nothing
   */
  constructor(lines: readonly string[] = [], redact = (line: string): string => line) {
    this.#lines = lines.map(redact);
    this.#redact = redact;
  }

  /** Adds a whole sentence. */
  add(line: string | null): void {
    if (line !== null) this.#lines.push(this.#redact(line));
  }

  /** Notes a value that was replaced. Only the first few are described; all are counted. */
  changed = (path: string, what: string): void => {
    this.#changes += 1;
    if (this.#changes <= this.#maxChanges) this.#lines.push(this.#redact(`${path}: ${what}`));
  };

  copy(): Notes {
    const copy = new Notes(this.#lines, this.#redact);
    copy.#changes = this.#changes;
    return copy;
  }

  /** Returns the text for the column, at most `maxChars` long, or undefined if nothing was changed. */
  toText(maxChars: number): string | undefined {
    const hidden = this.#changes - this.#maxChanges;
    const lines = hidden > 0 ? [...this.#lines, `${hidden} more values changed`] : this.#lines;
    if (lines.length === 0) return undefined;
    const text = lines.join('; ');
    return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`.toWellFormed();
  }
}
