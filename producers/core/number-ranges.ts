/** Numbers from the first to the last one, both included. */
interface NumberRange {
  first: number;
  last: number;
}

/** A set of whole numbers that mostly come in runs. It takes memory for each run, not for each number. */
export class NumberRanges {
  /** ascending, with a gap between any two */
  readonly #ranges: NumberRange[] = [];

  /** The number of runs. */
  get runs(): number {
    return this.#ranges.length;
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#indexOf(number)];
    return range !== undefined && range.first <= number;
  }

  add(number: number): void {
    const index = this.#indexOf(number - 1);
    const range = this.#ranges[index];
    const isKnown = range !== undefined && range.first <= number && number <= range.last;
    if (isKnown) return;
    const joins = range !== undefined && range.last === number - 1;
    const next = this.#ranges[joins ? index + 1 : index];
    const isNext = next?.first === number + 1;
    if (joins && isNext) {
      range.last = next.last;
      this.#ranges.splice(index + 1, 1);
    } else if (joins) range.last = number;
    else if (isNext) next.first = number;
    else this.#ranges.splice(index, 0, { first: number, last: number });
  }

  delete(number: number): void {
    const index = this.#indexOf(number);
    const range = this.#ranges[index];
    if (range === undefined || range.first > number) return;
    const { first, last } = range;
    const rest = [
      { first, last: number - 1 },
      { first: number + 1, last },
    ];
    this.#ranges.splice(index, 1, ...rest.filter((part) => part.first <= part.last));
  }

  /** Removes the numbers of the oldest run. */
  deleteFirstRun(): void {
    this.#ranges.shift();
  }

  clear(): void {
    this.#ranges.length = 0;
  }

  /** The first number from this one on that is not in the set. */
  nextFree(number: number): number {
    const range = this.#ranges[this.#indexOf(number)];
    return range !== undefined && range.first <= number ? range.last + 1 : number;
  }

  /** The first runs, at most so many: the first and the last number of each. */
  list(most: number): [number, number][] {
    return this.#ranges.slice(0, most).map(({ first, last }) => [first, last]);
  }

  /** Every number. */
  *[Symbol.iterator](): Generator<number> {
    for (const { first, last } of this.#ranges) for (let number = first; number <= last; number += 1) yield number;
  }

  /** The index of the first run that ends at the number or behind it; the number of runs if there is none. */
  #indexOf(number: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as NumberRange).last < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
