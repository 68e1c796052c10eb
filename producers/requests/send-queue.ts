import { toError } from '../../shared/platform/errors.ts';
import { SendAbortedError } from '../core/send-errors.ts';
import { LinkedList, type LinkedListNode } from './linked-list.ts';

/** A candidate that waits to be admitted. */
interface Waiter<T> {
  candidate: T;
  node: LinkedListNode<Waiter<T>> | null;
  /** Ends the wait. @param error null: the candidate was admitted */
  end(error: Error | null): void;
}

/** What a send queue sends to. */
export interface SendQueueOptions<T> {
  /**
   * Admits the candidate if there is room for it. If not, returns false and changes nothing.
   *
   * @throws when there can never be room for it
   */
  admit(candidate: T): boolean;
  /** told of the end of each wait, in the same turn: null when the candidate was admitted */
  onWaited(waitedMs: number, error: Error | null): void;
}

/** The longest that admissions may block the event loop at a time, in ms. A single one may take longer. */
const sliceMs = 2;

/**
 * A fair queue of candidates that wait for room: first come, first served, even if a smaller one further back would fit.
 * Nobody polls; `admitWaiting` admits as many as there is room for.
 */
export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>;
  readonly #waiting = new LinkedList<Waiter<T>>();
  #turnIsScheduled = false;

  constructor(options: SendQueueOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Waits behind all others. Resolves when the candidate has been admitted.
   *
   * @throws SendAbortedError when `signal` aborts before that; what `admit` throws; what `close` was given
   */
  enter(candidate: T, signal: AbortSignal | undefined): Promise<void> {
    const sinceMs = performance.now();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const wasFirst = this.#waiting.first === waiter;
        waiter.end(signal === undefined ? null : new SendAbortedError(signal, { isAccepted: false }));
        // The next one may be smaller.
        if (wasFirst) this.admitWaiting();
      };
      const waiter: Waiter<T> = {
        candidate,
        node: null,
        end: (error) => {
          if (waiter.node === null) return;
          this.#waiting.remove(waiter.node);
          waiter.node = null;
          signal?.removeEventListener('abort', onAbort);
          this.#options.onWaited(performance.now() - sinceMs, error);
          if (error === null) resolve();
          else reject(error);
        },
      };
      waiter.node = this.#waiting.append(waiter);
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** Admits in order those that there is room for now, over as many turns of the event loop as it takes. */
  admitWaiting(): void {
    if (!this.#turnIsScheduled) this.#admitSome();
  }

  /** Rejects all that wait. */
  close(error: Error): void {
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) waiter.end(error);
  }

  #admitSome(): void {
    const untilMs = performance.now() + sliceMs;
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) {
      try {
        if (!this.#options.admit(waiter.candidate)) return;
        waiter.end(null);
      } catch (thrown) {
        waiter.end(toError(thrown));
      }
      if (performance.now() > untilMs) {
        this.#turnIsScheduled = true;
        setImmediate(() => {
          this.#turnIsScheduled = false;
          this.#admitSome();
        });
        return;
      }
    }
  }
}
