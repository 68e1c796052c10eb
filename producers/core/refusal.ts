import {
  classifyRedisError,
  explainRedisError,
  type RedisErrorClass,
} from '../../shared/platform/redis/redis-errors.ts';

/** Redis, or something on the way to it, permanently refuses the record. It was left out and counted. */
export class RecordRefusedError extends Error {
  override readonly name = 'RecordRefusedError';

  /** @param cause the refusal; the message only explains it, since it may contain the record */
  constructor(cause: Error) {
    super(`Redis permanently refuses the record: ${explainRedisError(cause)}`);
  }
}

/** After so many consecutive failures without an answer, what is sent may be at fault. */
const failuresBeforeDoubt = 5;

/** Whether no answer came: the cause may be an outage or what was sent. */
export function isCutOff(error: Error): boolean {
  return classifyRedisError(error).class === 'unanswered';
}

/**
 * Whether what is sent may be at fault, and not just the server or the network. It is then sent apart from all others.
 *
 * @param unanswered consecutive failures without an answer
 */
export function isDoubtful(error: Error, unanswered: number): boolean {
  const { class: errorClass } = classifyRedisError(error);
  return ['payload', 'unknown', 'job'].includes(errorClass) || unanswered >= failuresBeforeDoubt;
}

/** After so many failures of one class, something that is sent alone seems to be at fault. */
const failuresUntilSuspect: Partial<Record<RedisErrorClass, number>> = {
  payload: 1,
  unknown: 3,
  job: 3,
  unanswered: 5,
};

/** Whether something that is sent alone seems to be at fault. @param failures consecutive ones of this class */
export function isSuspect(error: Error, failures: number): boolean {
  return failures >= (failuresUntilSuspect[classifyRedisError(error).class] ?? Number.POSITIVE_INFINITY);
}

/** Whether the error alone proves that what was sent is at fault. Others prove it only if other sends succeed meanwhile. */
export function isPlain(error: Error): boolean {
  return classifyRedisError(error).class === 'payload';
}
