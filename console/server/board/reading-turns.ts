import { Problem } from '../http/problem.ts';

/** Passes the turn on; a second call does nothing. */
export type EndTurn = () => void;

/**
 * Lets one reader at a time proceed: the memory that each may use is bounded, and therefore the memory of all of them.
 *
 * @param options.maxWaiting readers that may wait; further ones are refused
 * @param options.maxWaitMs how long a reader waits before it is refused
 */
export function createReadingTurns({ maxWaiting, maxWaitMs }: { maxWaiting: number; maxWaitMs: number }) {
  let isTaken = false;
  const waiting: ((end: EndTurn) => void)[] = [];

  const take = (): EndTurn => {
    isTaken = true;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      isTaken = false;
      waiting.shift()?.(take());
    };
  };
  const refusal = () => new Problem('unavailable', 'Other requests are reading large jobs; try again');

  return {
    /** Resolves when it is the caller's turn. @throws Problem if too many wait, or the caller has waited too long */
    begin(): Promise<EndTurn> {
      if (!isTaken) return Promise.resolve(take());
      if (waiting.length >= maxWaiting) return Promise.reject(refusal());
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(refusal());
        }, maxWaitMs);
        const begin = (end: EndTurn): void => {
          clearTimeout(timer);
          resolve(end);
        };
        waiting.push(begin);
      });
    },
  };
}
