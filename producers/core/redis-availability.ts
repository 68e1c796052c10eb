import { setImmediate as nextTurn } from 'node:timers/promises';
import { endsWithin } from '../../shared/platform/lifecycle.ts';

/** Failures of one send after which Redis counts as away: the first may be a connection that was only just cut. */
const failuresUntilAway = 2;
/** A send without an answer for so long means the same for the chunks behind it. */
const noAnswerMs = 500;

/** Decides by the answers to a producer's own sends whether Redis is away, which it is until it acknowledges anything. */
export function createRedisAvailability() {
  let isAway = false;
  let acknowledged = 0;
  return {
    get isAway(): boolean {
      return isAway;
    },
    /** sends that were acknowledged so far */
    acknowledged: (): number => acknowledged,
    onAcknowledged(): void {
      isAway = false;
      acknowledged += 1;
    },
    /** @param failures of one send, one after the other */
    onFailure(failures: number): void {
      if (failures >= failuresUntilAway) isAway = true;
    },
    /** Whether a send ends soon, one way or the other; if not, Redis counts as away. */
    async answersSoon(sending: Promise<void>): Promise<boolean> {
      let isAnswered = false;
      const answer = sending
        .catch(() => undefined)
        .then(() => {
          isAnswered = true;
        });
      await endsWithin(answer, noAnswerMs);
      // After a stall of the event loop the answer may be there and not have been read yet.
      if (!isAnswered) await nextTurn();
      if (!isAnswered) isAway = true;
      return isAnswered;
    },
  };
}
