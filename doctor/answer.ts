import { endsWithin } from '../shared/platform/lifecycle.ts';

/** What a question to a server came to. */
export type Answer<T> = { known: true; value: T } | Unanswered;

/** There was no answer, and why. */
export interface Unanswered {
  known: false;
  /** what it failed with: SQLSTATE, the code of a Redis error or of a socket's; `timeout` when nothing came in time */
  code: string;
  /** one line for a person, without a secret */
  why: string;
  /** what to do about it, where that is known */
  remedy?: string;
}

/** Asks a server; never throws, and always comes back in time. */
export type Ask = <T>(question: () => PromiseLike<T>) => Promise<Answer<T>>;

/** How a question that nobody answered in time is reported. */
export const timeoutCode = 'timeout';

/**
 * @param options.withinMs milliseconds after which a question counts as not answered; its answer is then no longer heard
 * @param options.explain what a failed question says to a person, without a secret
 */
export function createAsk(options: { withinMs: number; explain(thrown: unknown): Omit<Unanswered, 'known'> }): Ask {
  return async <T>(question: () => PromiseLike<T>): Promise<Answer<T>> => {
    const answer: Promise<Answer<T>> = Promise.resolve()
      .then(question)
      .then(
        (value) => ({ known: true, value }),
        (thrown: unknown) => ({ known: false, ...options.explain(thrown) }),
      );
    if (await endsWithin(answer, options.withinMs)) return answer;
    return { known: false, code: timeoutCode, why: `no answer within ${options.withinMs / 1_000} s` };
  };
}
