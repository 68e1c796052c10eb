/** A place in a line. */
export interface LinkedListNode<T> {
  readonly item: T;
  before: LinkedListNode<T> | null;
  behind: LinkedListNode<T> | null;
}

/**
 * First in, first out, and anybody may leave from any place, at the same small cost: callers that give up during an outage
 * leave nothing behind, however many come after them.
 */
export class LinkedList<T> {
  #first: LinkedListNode<T> | null = null;
  #last: LinkedListNode<T> | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#first?.item;
  }

  /** Puts an item behind all others. */
  join(item: T): LinkedListNode<T> {
    const place: LinkedListNode<T> = { item, before: this.#last, behind: null };
    if (this.#last === null) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#length += 1;
    return place;
  }

  /** Takes an item out, wherever it stands. For a place that is in this line. */
  leave(place: LinkedListNode<T>): void {
    if (place.before === null) this.#first = place.behind;
    else place.before.behind = place.behind;
    if (place.behind === null) this.#last = place.before;
    else place.behind.before = place.before;
    this.#length -= 1;
  }
}
