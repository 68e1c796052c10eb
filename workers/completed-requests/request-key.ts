import { uuidOrNull } from '../../shared/contracts/dead-letter-key.ts';

/**
 * What names a record of this queue: the request's id for its completion, `begun:` and the id for its beginning. Null when
 * the record has no UUID.
 */
export function requestKey(record: unknown): string | null {
  if (typeof record !== 'object' || record === null) return null;
  const { requestId, phase } = record as { requestId?: unknown; phase?: unknown };
  const id = uuidOrNull(requestId);
  return id !== null && phase === 'begun' ? `begun:${id}` : id;
}
