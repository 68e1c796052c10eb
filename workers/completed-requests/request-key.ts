/**
 * What names the letter of a record of this queue: the request's id for its completion, `begun:` and the id for its
 * beginning, so that neither takes the other's place. Null when the record has no id.
 */
export function requestKey(record: unknown): string | null {
  if (typeof record !== 'object' || record === null) return null;
  const { requestId, phase } = record as { requestId?: unknown; phase?: unknown };
  if (typeof requestId !== 'string') return null;
  const id = requestId.toLowerCase();
  return phase === 'begun' ? `begun:${id}` : id;
}
