import type { DeadLetterChange, ReadDeadLetter } from '../dead-letters/erase.ts';
import { parseChunk } from '../shared/contracts/parse-chunk.ts';
import { type QueueName, queueNames } from '../shared/contracts/queues.ts';
import { eraseFromChunk } from './erase-chunk.ts';
import { type ErasureScope, eraseFromRecord } from './erase-record.ts';

const erasedReason = 'erased';

/**
 * What happens to a dead letter. The subject's own is deleted. One of somebody else that names the subject loses what names it,
 * and can still be replayed. A chunk that is unreadable or from a newer producer, and an entry of a stream, is deleted if it
 * names the subject.
 */
export function deadLetterFate(
  { queue, payload, code, reason, signature }: ReadDeadLetter,
  scope: ErasureScope,
): DeadLetterChange {
  const { naming, ownOnly } = scope;
  const ours = queueNames.find((name) => name === queue);
  const fate = ours === undefined ? strangerFate(payload, scope) : recordFate(ours, payload, scope);
  if (fate === 'erased') return 'erased';
  const quotes = (text: string): boolean => naming.isIn(text);
  const isQuoted = fate !== null || (!ownOnly && [reason, signature].some(quotes));
  if (!isQuoted) return null;
  return {
    ...(fate === null ? {} : { payload: fate }),
    // It may quote what was removed.
    ...([reason, signature].some(quotes) || fate !== null
      ? { reason: erasedReason, signature: `${code} ${erasedReason}` }
      : {}),
  };
}

/** Whether it is a chunk from a newer producer, which may hold records of the subject that nothing shows. */
export function isUnreadable({ queue, payload }: Pick<ReadDeadLetter, 'queue' | 'payload'>): boolean {
  if (!queueNames.some((name) => name === queue)) return false;
  try {
    const parsed: unknown = JSON.parse(payload);
    return typeof parsed === 'object' && parsed !== null && 'records' in parsed && parseChunk(parsed).kind === 'newer';
  } catch {
    return false;
  }
}

/** The text to replace it with, or null if it stays. */
function recordFate(queue: QueueName, payload: string, scope: ErasureScope): 'erased' | string | null {
  const isChunk = holdsRecords(payload);
  if (isChunk !== false) return chunkFate(queue, payload, scope);
  const fate = eraseFromRecord(queue, payload, scope);
  if (fate.kind === 'blanked') return fate.json;
  return fate.kind === 'erased' ? 'erased' : null;
}

/** Other people's records in it stay. Of a chunk from a newer producer, only whether it names the subject is known. */
function chunkFate(queue: QueueName, payload: string, scope: ErasureScope): 'erased' | string | null {
  const fate = eraseFromChunk(queue, payload, scope);
  if (fate.kind === 'newer') return strangerFate(payload, scope);
  if (fate.kind === 'changed') return fate.data;
  return fate.kind === 'erased' ? 'erased' : null;
}

function strangerFate(payload: string, { naming, ownOnly }: ErasureScope): 'erased' | null {
  return !ownOnly && naming.isInJson(payload) ? 'erased' : null;
}

/** Whether a payload is a chunk; null if it cannot be read. */
function holdsRecords(payload: string): boolean | null {
  try {
    const parsed: unknown = JSON.parse(payload);
    return typeof parsed === 'object' && parsed !== null && 'records' in parsed;
  } catch {
    return null;
  }
}
