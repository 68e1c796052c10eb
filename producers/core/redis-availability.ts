import { settlesWithin } from './settles-within.ts';

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
    /**
     * Whether a send settles soon; if not, Redis counts as away.
     *
     * @param mayMoveOn whether another shard may still take what is sent; then it is waited for longer. @default no
     */
    async answersSoon(sending: Promise<void>, mayMoveOn: () => boolean = () => false): Promise<boolean> {
      for (;;) {
        if (await settlesWithin(sending, noAnswerMs)) return true;
        if (mayMoveOn()) continue;
        isAway = true;
        return false;
      }
    },
  };
}
