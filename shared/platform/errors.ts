/** Makes an Error of whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(typeof thrown === 'string' ? thrown : 'a value that is no Error was thrown', { cause: thrown });
}

/** A mistake in how the program was called or configured. The message is for a person and holds no secret. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
