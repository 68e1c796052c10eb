import { within } from '../shared/platform/deadline.ts';

/** The outcome of asking a server a question. */
export type Answer<T> = { known: true; value: T } | Unanswered;

/** The server did not answer. */
export interface Unanswered {
  known: false;
  /** the cause: a SQLSTATE, the code of a Redis or socket error, or `timeout` */
  code: string;
  /** one line for a person, without secrets */
  why: string;
  /** what to do about it, if known */
  remedy?: string;
}

/** Asks a server a question. It never throws, and always returns in time. */
export type Ask = <T>(question: () => PromiseLike<T>) => Promise<Answer<T>>;

/** The code of a question that was not answered in time. */
export const timeoutCode = 'timeout';

/**
 * @param options.withinMs milliseconds after which a question counts as unanswered; a later answer is ignored
 * @param options.explain describes a failed question to a person, without secrets
 */
export function createAsk(options: { withinMs: number; explain(thrown: unknown): Omit<Unanswered, 'known'> }): Ask {
  return async <T>(question: () => PromiseLike<T>): Promise<Answer<T>> => {
    const answer: Promise<Answer<T>> = Promise.resolve()
      .then(question)
      .then(
        (value) => ({ known: true, value }),
        (thrown: unknown) => ({ known: false, ...options.explain(thrown) }),
      );
    const why = `no answer within ${options.withinMs / 1_000} s`;
    return within(answer, options.withinMs, () => ({ known: false, code: timeoutCode, why }));
  };
}
