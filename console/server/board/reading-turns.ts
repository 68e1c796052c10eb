import { Problem } from '../http/problem.ts';

/** Gives the turn to the next one; a second call does nothing. */
export type EndTurn = () => void;

/**
 * Lets one reading at a time go on: what each of them may take of memory is bounded, and so all of them together are.
 *
 * @param options.maxWaiting readings that wait; one more is refused
 * @param options.maxWaitMs how long one waits before it is refused
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
  const refusal = () => new Problem('unavailable', 'Others are looking at jobs, which are large; try again');

  return {
    /** Resolves when it is this one's turn. @throws Problem when too many wait, or it has waited too long */
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
