import { setImmediate as nextTurn } from 'node:timers/promises';
import { endsWithin } from '../../shared/platform/deadline.ts';

/** After so many failures of one send, Redis counts as away. The first failure may be a connection that was just cut. */
const failuresUntilAway = 2;
/** If a send has no answer for so long, Redis counts as away, too. */
const noAnswerMs = 500;

/** Decides by the results of a producer's own sends whether Redis is away. It is away until it acknowledges a send. */
export function createRedisAvailability() {
  let isAway = false;
  let acknowledged = 0;
  return {
    get isAway(): boolean {
      return isAway;
    },
    /** how many sends Redis has acknowledged so far */
    acknowledged: (): number => acknowledged,
    onAcknowledged(): void {
      isAway = false;
      acknowledged += 1;
    },
    /** @param failures consecutive failures of one send */
    onFailure(failures: number): void {
      if (failures >= failuresUntilAway) isAway = true;
    },
    /** Whether a send settles soon; if not, Redis counts as away. */
    async answersSoon(sending: Promise<void>): Promise<boolean> {
      let isAnswered = false;
      const answer = sending
        .catch(() => undefined)
        .then(() => {
          isAnswered = true;
        });
      await endsWithin(answer, noAnswerMs);
      // After the event loop has stalled, the answer may have arrived without having been read.
      if (!isAnswered) await nextTurn();
      if (!isAnswered) isAway = true;
      return isAnswered;
    },
  };
}
