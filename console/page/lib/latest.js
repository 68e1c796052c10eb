/**
 * Responses may arrive in a different order than their requests. Each request has a number, and its response is shown only if
 * that of no later request is on the screen. A reader's request cancels those before it. A timer's request cancels none, and
 * is not sent while another is in progress, so that a slow server is not asked faster than it answers.
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
      // The failure of a cancelled question is not shown, but an error while showing an answer is.
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
