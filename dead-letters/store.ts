import { toDeadLetterKey, uuidOrNull } from '../shared/contracts/dead-letter-key.ts';
import { replayedDeadLetterId } from '../shared/contracts/replay.ts';
import { jsonOrNull } from '../shared/platform/json-or-null.ts';
import {
  type Database,
  executeWithJson,
  type JsonStatement,
  type JsonTransaction,
  queryWithJson,
  withJsonTransaction,
} from '../shared/platform/postgres/database.ts';
import type { DeadLetter } from './dead-letter.ts';
import { withoutErased } from './erased.ts';

/** Where a dead record came from. */
export type DeadLetterOrigin = Pick<DeadLetter, 'queue' | 'contractVersion' | 'jobId' | 'producer'>;

const maxReasonChars = 2_000;
const maxSignatureChars = 200;

/** The name of a record, a UUID in it; null if there is none. */
export type KeyOf = (record: unknown) => string | null;

const idOf: KeyOf = (record) => uuidOrNull((record as { id?: unknown } | null)?.id);

/**
 * Makes the dead letter of a record, or of a job's whole data that is not a chunk. Text that is not JSON may contain what
 * PostgreSQL's text cannot, NUL and lone surrogates, and so may the names of producer and job: each becomes U+FFFD.
 *
 * @param keyOf by default the record's `id`, if it is a UUID
 */
export function toDeadLetter(
  payload: string,
  code: string,
  reason: string,
  origin: DeadLetterOrigin,
  keyOf: KeyOf = idOf,
): DeadLetter {
  const text = storable(reason.slice(0, maxReasonChars));
  return {
    ...origin,
    jobId: origin.jobId === null ? null : storable(origin.jobId),
    producer: origin.producer === null ? null : storable(origin.producer),
    recordKey: toDeadLetterKey(keyOf(jsonOrNull(payload)), payload),
    payload: storable(payload),
    code,
    reason: text,
    signature: toSignature(code, text),
  };
}

/**
 * What dead letters with the same cause have in common: the code, and the reason with quoted values, numbers and identifiers blanked.
 */
export function toSignature(code: string, reason: string): string {
  const blanked = reason
    .replace(/"[^"]*"|'[^']*'/g, '"…"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…');
  return storable(`${code} ${blanked}`.slice(0, maxSignatureChars));
}

/** After a cut, not before it: a cut may split a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** A dead letter, and how often it occurred in one call. */
type CountedDeadLetter = DeadLetter & { attempts: number };

/** The new state of a dead letter whose record failed again. What a person has discarded stays discarded. */
const seenOnceMore = `
  code = excluded.code, reason = excluded.reason, signature = excluded.signature, last_seen = now(),
  attempts = dead_letter.attempts + excluded.attempts,
  state = case dead_letter.state when 'discarded' then 'discarded' else 'open' end,
  state_since = case when dead_letter.state in ('replayed', 'stored') then now() else dead_letter.state_since end`;

/**
 * Writes dead letters. For one that exists, the count and the time go up, and if it had been replayed or stored, it is open
 * again; its payload stays the same. A replayed record goes to the dead letter that it came from, whatever a repair has made of
 * it, and becomes a dead letter of its own only if that one is gone. Safe to repeat, except for the count.
 *
 * @param also what belongs to them, in the same transaction
 * @returns how many were written: those of erased subjects are not
 */
export async function storeDeadLetters(
  database: Database,
  deadLetters: readonly DeadLetter[],
  also?: (transaction: JsonTransaction) => Promise<unknown>,
): Promise<number> {
  return withJsonTransaction(database, limits, async (transaction) => {
    const kept = await withoutErased(transaction, deadLetters);
    const reopened = await reopen(transaction, replaysAmong(kept));
    const others = kept.filter(({ producer }) => !reopened.has(replayedDeadLetterId(producer) ?? ''));
    await insert(transaction, countEach(others));
    await also?.(transaction);
    return kept.length;
  });
}

/** Good records, and their jobs, do not wait for whoever holds the table of dead letters. */
const limits = { lockTimeoutMs: 1_000, commits: true };

/** A replayed record that failed again, and the dead letter that it came from. */
type DeadReplay = Omit<CountedDeadLetter, 'payload'> & { deadLetterId: string };

/**
 * The replayed records, one for each dead letter. A replay carries one record: if there are several, a producer only happens to
 * have such a name, and they are records like any other.
 */
function replaysAmong(deadLetters: readonly DeadLetter[]): DeadReplay[] {
  const byDeadLetter = Map.groupBy(deadLetters, ({ producer }) => replayedDeadLetterId(producer));
  return [...byDeadLetter].flatMap(([deadLetterId, group]) => {
    const [record, ...more] = countEach(group);
    if (deadLetterId === null || record === undefined || more.length > 0) return [];
    const { payload: _payload, ...death } = record;
    return [{ ...death, deadLetterId }];
  });
}

/** One dead letter for each key: the last one, with the total number. */
function countEach(deadLetters: readonly DeadLetter[]): CountedDeadLetter[] {
  const byKey = new Map<string, CountedDeadLetter>();
  for (const deadLetter of deadLetters) {
    const key = `${deadLetter.queue} ${deadLetter.recordKey}`;
    byKey.set(key, { ...deadLetter, attempts: (byKey.get(key)?.attempts ?? 0) + 1 });
  }
  return [...byKey.values()];
}

/** @returns the ids of the dead letters that were there */
async function reopen(transaction: JsonTransaction, replays: readonly DeadReplay[]): Promise<Set<string>> {
  if (replays.length === 0) return new Set();
  const found = await queryWithJson(transaction, reopenStatement, JSON.stringify(replays));
  return new Set(found.map(([id]) => String(id)));
}

const reopenStatement: JsonStatement = [
  `update sluice.dead_letter set ${seenOnceMore} from json_to_recordset(`,
  `::json) as excluded (
    "deadLetterId" uuid, "queue" text, "code" text, "reason" text, "signature" text, "attempts" integer)
  where dead_letter.id = excluded."deadLetterId" and dead_letter.queue = excluded."queue"
  returning dead_letter.id`,
];

/** A dead letter may be as large as a record, and is copied on its way to the server. */
const maxInsertChars = 4 * 1_048_576;

/** In the order of their keys, so that two workers with the same dead letters cannot deadlock. */
async function insert(transaction: JsonTransaction, deadLetters: readonly CountedDeadLetter[]): Promise<void> {
  for (const some of partsOf(deadLetters, maxInsertChars))
    await executeWithJson(transaction, insertStatement, JSON.stringify(some));
}

const insertStatement: JsonStatement = [
  `insert into sluice.dead_letter (
    queue, record_key, contract_version, payload, code, reason, signature, job_id, producer, attempts)
  select letter."queue", letter."recordKey", letter."contractVersion", letter."payload", letter."code",
    letter."reason", letter."signature", letter."jobId", letter."producer", letter."attempts"
  from json_to_recordset(`,
  `::json) as letter (
    "queue" text, "recordKey" text, "contractVersion" integer, "payload" text, "code" text, "reason" text,
    "signature" text, "jobId" text, "producer" text, "attempts" integer)
  order by letter."queue", letter."recordKey"
  on conflict (queue, record_key) do update set
    job_id = excluded.job_id, producer = excluded.producer, ${seenOnceMore}`,
];

/** In order; each part holds at least one dead letter. */
function partsOf(deadLetters: readonly CountedDeadLetter[], maxChars: number): CountedDeadLetter[][] {
  const parts: CountedDeadLetter[][] = [];
  let chars = 0;
  for (const deadLetter of deadLetters) {
    chars += deadLetter.payload.length;
    if (parts.length === 0 || chars > maxChars) {
      parts.push([]);
      chars = deadLetter.payload.length;
    }
    parts.at(-1)?.push(deadLetter);
  }
  return parts;
}

/**
 * Notes that the records of these dead letters are stored, or already were. This may come before the dead letter is noted as
 * replayed; one that a person has discarded stays so. Safe to repeat.
 */
export async function markStored(database: Database, deadLetterIds: readonly string[]): Promise<void> {
  await withJsonTransaction(database, limits, (transaction) =>
    executeWithJson(transaction, storedStatement, JSON.stringify(deadLetterIds)),
  );
}

const storedStatement: JsonStatement = [
  `update sluice.dead_letter set state = 'stored', state_since = now()
  where id in (select value::uuid from json_array_elements_text(`,
  `::json)) and state in ('open', 'replayed')`,
];
