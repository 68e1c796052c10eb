import { Problem } from './problem.ts';

const answerWithinMs = 2_000;

/**
 * Asks Redis. Any failure means that there is no answer now; a server that does not answer has two seconds.
 *
 * @throws Problem with `detail`
 */
export async function fromRedis<T>(ask: () => Promise<T>, detail = 'Redis did not answer'): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), answerWithinMs);
  });
  try {
    return await Promise.race([ask(), silence]);
  } catch (error) {
    throw new Problem('unavailable', detail, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
