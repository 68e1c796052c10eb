import { within } from '../../../shared/platform/deadline.ts';
import { Problem } from './problem.ts';

const answerWithinMs = 2_000;

/**
 * Asks Redis. Any failure means that there is no answer now; a server that does not answer has two seconds.
 *
 * @throws Problem with `detail`
 */
export async function fromRedis<T>(ask: () => Promise<T>, detail = 'Redis did not answer'): Promise<T> {
  try {
    return await within(ask(), answerWithinMs, () => {
      throw new Error('no answer in time');
    });
  } catch (error) {
    throw new Problem('unavailable', detail, { cause: error });
  }
}
