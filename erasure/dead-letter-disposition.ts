import type { DeadLetterChange, ReadDeadLetter } from '../dead-letters/erase.ts';
import { readCompressedChunk } from '../shared/contracts/compressed-chunk.ts';
import { parseChunk } from '../shared/contracts/parse-chunk.ts';
import { type QueueName, queueNames } from '../shared/contracts/queues.ts';
import { jsonOrNull } from '../shared/platform/json-or-null.ts';
import { eraseFromChunk } from './erase-chunk.ts';
import { type ErasureScope, eraseFromRecord } from './erase-record.ts';

const erasedReason = 'erased';

/**
 * What happens to a dead letter. The subject's own is deleted. One of somebody else that names the subject loses what names it,
 * and can still be replayed. A chunk that is unreadable or from a newer producer, and an entry of a stream, is deleted if it
 * names the subject.
 */
export function deadLetterDisposition(
  { queue, payload, code, reason, signature }: ReadDeadLetter,
  scope: ErasureScope,
): DeadLetterChange {
  const { naming, ownOnly } = scope;
  const ours = queueNames.find((name) => name === queue);
  const disposition =
    ours === undefined ? strangerDisposition(payload, scope) : recordDisposition(ours, payload, scope);
  if (disposition === 'erased') return 'erased';
  const quotes = (text: string): boolean => naming.isIn(text);
  const isQuoted = disposition !== null || (!ownOnly && [reason, signature].some(quotes));
  if (!isQuoted) return null;
  return {
    ...(disposition === null ? {} : { payload: disposition }),
    // It may quote what was removed.
    ...([reason, signature].some(quotes) || disposition !== null
      ? { reason: erasedReason, signature: `${code} ${erasedReason}` }
      : {}),
  };
}

/** Whether it is a chunk from a newer producer or a damaged compressed one, which may hold records of the subject that nothing shows. */
export function isUnreadable({ queue, payload }: Pick<ReadDeadLetter, 'queue' | 'payload'>): boolean {
  if (queueNames.every((name) => name !== queue)) return false;
  if (readCompressedChunk(payload) !== null) return true;
  const parsed = jsonOrNull(payload);
  return holdsRecords(parsed) && parseChunk(parsed).kind === 'newer';
}

/** The text to replace it with, or null if it stays. */
function recordDisposition(queue: QueueName, payload: string, scope: ErasureScope): 'erased' | string | null {
  const parsed = jsonOrNull(payload);
  if (parsed === null || holdsRecords(parsed)) return chunkDisposition(queue, payload, scope);
  const disposition = eraseFromRecord(queue, payload, scope);
  if (disposition.kind === 'blanked') return disposition.json;
  return disposition.kind === 'erased' ? 'erased' : null;
}

/** Other people's records in it stay. Of a chunk from a newer producer, only whether it names the subject is known. */
function chunkDisposition(queue: QueueName, payload: string, scope: ErasureScope): 'erased' | string | null {
  const disposition = eraseFromChunk(queue, payload, scope);
  if (disposition.kind === 'newer') return strangerDisposition(payload, scope);
  if (disposition.kind === 'changed') return disposition.data;
  return disposition.kind === 'erased' ? 'erased' : null;
}

function strangerDisposition(payload: string, { naming, ownOnly }: ErasureScope): 'erased' | null {
  return !ownOnly && naming.isInJson(payload) ? 'erased' : null;
}

function holdsRecords(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null && 'records' in parsed;
}
