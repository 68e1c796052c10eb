/**
 * Answers may come in another order than they were asked for. Each question has a number, and an answer is shown only
 * when nothing asked later is shown already. A question of the reader ends those before it; the clock's ends none and is
 * not asked while another is under way, so that a slow server is not asked faster than it answers.
 *
 * @template T
 * @param {{ onAnswer(answer: T): void, onError(error: unknown): void, onBusy(busy: boolean): void }} events
 */
export function createLatest({ onAnswer, onError, onBusy }) {
  let asked = 0;
  let shown = 0;
  /** @type {Set<AbortController>} */
  const underWay = new Set();

  /** @param {(signal: AbortSignal) => Promise<T>} load */
  async function ask(load) {
    const turn = ++asked;
    const controller = new AbortController();
    underWay.add(controller);
    onBusy(true);
    try {
      const answer = await load(controller.signal);
      if (controller.signal.aborted || turn <= shown) return;
      shown = turn;
      onAnswer(answer);
    } catch (error) {
      // Of a question that nobody waits for any more, not even the failure is shown; but that an answer could not be shown is.
      if (controller.signal.aborted || turn < shown) return;
      shown = turn;
      onError(error);
    } finally {
      underWay.delete(controller);
      onBusy(underWay.size > 0);
    }
  }

  function cancel() {
    for (const controller of underWay) controller.abort();
  }

  return {
    cancel,
    /** @param {(signal: AbortSignal) => Promise<T>} load */
    askNow(load) {
      cancel();
      return ask(load);
    },
    /** @param {(signal: AbortSignal) => Promise<T>} load */
    askWhenIdle(load) {
      return underWay.size === 0 ? ask(load) : Promise.resolve();
    },
  };
}
