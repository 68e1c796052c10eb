/** One item of a list. */
export interface LinkedListNode<T> {
  readonly item: T;
  previous: LinkedListNode<T> | null;
  next: LinkedListNode<T> | null;
}

/**
 * A doubly linked list: any item can be removed at the same small cost. Callers that give up during an outage leave nothing
 * behind, however many come after them.
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

  append(item: T): LinkedListNode<T> {
    const node: LinkedListNode<T> = { item, previous: this.#last, next: null };
    if (this.#last === null) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#length += 1;
    return node;
  }

  /** @param node of this list, not removed before */
  remove(node: LinkedListNode<T>): void {
    if (node.previous === null) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.#last = node.previous;
    else node.next.previous = node.previous;
    this.#length -= 1;
  }
}
