import { SendAbortedError } from '../core/send-errors.ts';

/** Waits for the work. @throws SendAbortedError when the signal aborts first; the work itself goes on */
export async function untilAborted(
  work: Promise<void>,
  signal: AbortSignal | undefined,
  outcome: { isAccepted: boolean },
): Promise<void> {
  if (signal === undefined) return work;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new SendAbortedError(signal, outcome));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
