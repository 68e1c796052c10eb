import {
  classifyRedisError,
  explainRedisError,
  type RedisErrorClass,
} from '../../shared/platform/redis/redis-errors.ts';

/** The record cannot be in the queue: Redis, or the way to it, refuses it for good. It was left out, and counted. */
export class RecordRefusedError extends Error {
  override readonly name = 'RecordRefusedError';

  /** @param cause what it was refused with; it is only explained here, for it may hold the record */
  constructor(cause: Error) {
    super(`Redis permanently refuses the record: ${explainRedisError(cause)}`);
  }
}

/** Failures one after the other, all without an answer, after which a send is looked at more closely. */
const failuresBeforeDoubt = 5;

/** Whether no answer came: it may be an outage, and it may be what was sent. */
export function isCutOff(error: Error): boolean {
  return classifyRedisError(error).class === 'cut';
}

/**
 * Whether what is sent may be at fault, and not only the server or the way to it: it is then sent apart from all others.
 *
 * @param unanswered sends, one after the other
 */
export function isDoubtful(error: Error, unanswered: number): boolean {
  const { class: errorClass } = classifyRedisError(error);
  return ['payload', 'unknown', 'job'].includes(errorClass) || unanswered >= failuresBeforeDoubt;
}

/** Failures of something that is sent alone after which it seems to be at fault; by what it failed with. */
const failuresUntilSuspect: Partial<Record<RedisErrorClass, number>> = {
  payload: 1,
  unknown: 3,
  job: 3,
  cut: 5,
};

/** Whether something that is sent alone seems to be at fault. @param failures of this kind, one after the other */
export function isSuspect(error: Error, failures: number): boolean {
  return failures >= (failuresUntilSuspect[classifyRedisError(error).class] ?? Number.POSITIVE_INFINITY);
}

/** Whether an answer says by itself that what was sent is at fault. Other answers say so only when others get through. */
export function isPlain(error: Error): boolean {
  return classifyRedisError(error).class === 'payload';
}
