import { toError } from '../../shared/platform/errors.ts';
import { SendAbortedError } from '../core/send-errors.ts';
import { LinkedList, type LinkedListNode } from './linked-list.ts';

/** One that waits to be admitted. */
interface Waiter<T> {
  candidate: T;
  place: LinkedListNode<Waiter<T>> | null;
  /** Ends the wait, one way or the other. */
  end(error: Error | null): void;
}

/** What a send queue sends to. */
export interface SendQueueOptions<T> {
  /**
   * Takes the candidate in if there is room for it, else returns false and changes nothing.
   *
   * @throws when there can never be room for it
   */
  admit(candidate: T): boolean;
  /** told of each wait that has ended, in the same turn: null when the candidate was admitted */
  onWaited(waitedMs: number, error: Error | null): void;
}

/** The longest that admissions may hold up the event loop at a time, in ms; one of them may take longer by itself. */
const sliceMs = 2;

/**
 * Where candidates wait while there is no room: first come, first served, also when a smaller one behind would fit before.
 * Nobody polls; `admitWaiting` lets in as many as there is room for.
 */
export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>;
  readonly #waiting = new LinkedList<Waiter<T>>();
  #turnIsScheduled = false;

  constructor(options: SendQueueOptions<T>) {
    this.#options = options;
  }

  /** How many wait. */
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
        place: null,
        end: (error) => {
          if (waiter.place === null) return;
          this.#waiting.leave(waiter.place);
          waiter.place = null;
          signal?.removeEventListener('abort', onAbort);
          this.#options.onWaited(performance.now() - sinceMs, error);
          if (error === null) resolve();
          else reject(error);
        },
      };
      waiter.place = this.#waiting.join(waiter);
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** Lets in whoever there is room for now, in order, over as many turns of the event loop as it takes. */
  admitWaiting(): void {
    if (!this.#turnIsScheduled) this.#letIn();
  }

  /** Sends everybody away. */
  close(error: Error): void {
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) waiter.end(error);
  }

  #letIn(): void {
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
          this.#letIn();
        });
        return;
      }
    }
  }
}
