import { createHash } from 'node:crypto';
import type { QueueName } from '../shared/contracts/queues.ts';
import { type Database, Prisma } from '../shared/database.ts';
import { parseExactly } from '../shared/exact-json.ts';

/** A record that cannot be stored, and why. */
export interface DeadLetter {
  queue: QueueName;
  /** names the letter within its queue, so that a record that is delivered again is the same letter */
  recordKey: string;
  contractVersion: number | null;
  /** JSON as received */
  payload: string;
  code: string;
  reason: string;
  signature: string;
  jobId: string | null;
  producer: string | null;
}

/** Where a dead record came from. */
export interface DeadLetterOrigin {
  queue: QueueName;
  contractVersion: number | null;
  jobId: string | null;
  producer: string | null;
}

const maxReasonChars = 2_000;
const maxKeyChars = 200;

/** What names a record among the letters of its queue; anything but a text means that nothing does. */
export type KeyOf = (record: unknown) => unknown;

const idOf: KeyOf = (record) => (record as { id?: unknown } | null)?.id;

/**
 * Makes the letter of a record, or of a job's whole data that is no chunk. A text that is not even JSON may hold what
 * PostgreSQL's text cannot, NUL and lone surrogates: each becomes U+FFFD.
 *
 * @param keyOf by default the record's `id`
 */
export function toDeadLetter(
  payload: string,
  code: string,
  reason: string,
  origin: DeadLetterOrigin,
  keyOf: KeyOf = idOf,
): DeadLetter {
  const text = storable(reason).slice(0, maxReasonChars);
  return {
    ...origin,
    recordKey: toRecordKey(payload, keyOf),
    payload: storable(payload),
    code,
    reason: text,
    signature: toSignature(code, text),
  };
}

/**
 * What letters of one cause have in common: the code, and the reason with quoted values, numbers and identifiers blanked.
 */
export function toSignature(code: string, reason: string): string {
  const blanked = reason
    .replace(/"[^"]*"|'[^']*'/g, '"…"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…');
  return `${code} ${blanked}`.slice(0, maxKeyChars);
}

function toRecordKey(payload: string, keyOf: KeyOf): string {
  const key = keyOf(parsedOrNull(payload));
  // A key is indexed: only what is short and plain may be one.
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  return `sha256:${createHash('sha256').update(payload).digest('hex')}`;
}

function parsedOrNull(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return null;
  }
}

/**
 * The records of a chunk's text, each as JSON, with every number as it was written: a parsed number beyond 2^53 would have
 * lost digits.
 */
export function exactRecords(chunk: string): string[] {
  const { records = [] } = parseExactly(chunk) as { records?: unknown[] };
  return records.map((record) => JSON.stringify(record) ?? 'null');
}

function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/**
 * Writes letters. One that is there already is seen once more: its count and time go up, and if it had been replayed it is
 * open again. Safe to repeat, but for the count.
 */
export async function storeDeadLetters(database: Database, letters: readonly DeadLetter[]): Promise<void> {
  await database.$executeRaw(Prisma.sql`
    insert into dead_letter (queue, record_key, contract_version, payload, code, reason, signature, job_id, producer)
    select distinct on (letter."queue", letter."recordKey") letter."queue", letter."recordKey", letter."contractVersion",
      letter."payload", letter."code", letter."reason", letter."signature", letter."jobId", letter."producer"
    from json_to_recordset(${JSON.stringify(letters)}::json) as letter (
      "queue" text, "recordKey" text, "contractVersion" integer, "payload" text, "code" text, "reason" text,
      "signature" text, "jobId" text, "producer" text)
    on conflict (queue, record_key) do update set
      payload = excluded.payload, code = excluded.code, reason = excluded.reason, signature = excluded.signature,
      job_id = excluded.job_id, producer = excluded.producer, last_seen = now(), attempts = dead_letter.attempts + 1,
      state = case dead_letter.state when 'discarded' then 'discarded' else 'open' end,
      state_since = case dead_letter.state when 'replayed' then now() else dead_letter.state_since end`);
}
