import { setImmediate as nextTurn } from 'node:timers/promises';
import { endsWithin } from '../../shared/platform/deadline.ts';

/** Whether work ends within `ms`, be it well or badly. */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let isSettled = false;
  const settled = work
    .catch(() => undefined)
    .then(() => {
      isSettled = true;
    });
  await endsWithin(settled, ms);
  // After the event loop has stalled, the answer may have arrived without having been read.
  if (!isSettled) await nextTurn();
  return isSettled;
}
