import type { PlaceRange } from '../../contracts/chunk.ts';
import { type QueueName, queueNames } from '../../contracts/queues.ts';
import type { JsonStatement } from '../postgres/database.ts';
import { type ChunkAccount, toRanges } from './chunk-account.ts';
import { erasedRealmOf, isErasedRealm, lastErasure } from './erased-realm.ts';

/** Records of one chunk in a statement. */
export interface AccountedRecords {
  account: ChunkAccount;
  /** of each record, in their order in the statement, its place in the whole chunk */
  places: readonly number[];
  /** of the first one in the statement */
  index: number;
}

/** The members of an account in JSON, and how they are read. */
const shape = `"dayAt" timestamptz, "earliestAt" timestamptz, "producer" text, "epoch" bigint, "life" text, "queue" text, "seq" bigint,
  "before" bigint, "total" integer, "parts" jsonb, "runs" jsonb, "problem" text, "places" bit varying, "erased" bit varying,
  "picks" json`;

const countOf = (bits: string): string => `length(replace((${bits})::text, '0', ''))`;

/**
 * Runs or parts without the names of realms that were erased since. As long as nobody was erased since the earliest of their
 * minutes, this is one comparison.
 */
const named = (queue: QueueName, runs: string): string =>
  !hasRealms(queue)
    ? `account.${runs}`
    : `case
  when account."earliestAt" > ${lastErasure} then account.${runs}
  else (select jsonb_agg(case
      when ${isErasedRealm('run.value ->> 0', 'to_timestamp((run.value ->> 1)::double precision * 60)')}
      then jsonb_set(run.value, '{0}', to_jsonb(${erasedRealmOf('run.value ->> 0')})) else run.value end order by run.n)
    from jsonb_array_elements(account.${runs}) with ordinality as run (value, n))
  end`;

const union = (places: string): string => `(chunk.${places} | excluded.${places})`;

/** Requests have no realm, and whoever stores them may have no right to see who was erased. */
const hasRealms = (queue: QueueName): boolean => queue === 'execution-log';

/** Dead are those that were never seen. */
const deadOf = (dead: string, seen: string): string => countOf(`${dead} & ~${seen}`);
const settledAt = (seen: string, dead: string): string =>
  `case when position('0' in (${seen} | ${dead})::text) = 0 then now() end`;

/**
 * Adds to the rows of chunks, or makes them: places are set, and none is ever taken back, so that a repeat changes nothing. In the
 * order of their keys: two statements with the same chunks cannot wait for each other. A chunk that contradicts its row is left alone.
 *
 * @param source a query of accounts with their `"storedPlaces"`, `"seenPlaces"` and `"deadPlaces"`
 */
function upsertOf(queue: QueueName, source: string): string {
  const [stored, seen, dead] = ['stored_places', 'seen_places', 'dead_places'].map(union) as [string, string, string];
  return `insert into sluice.ledger_chunk as chunk (day_at, producer, epoch, life, queue, seq, before, total, parts, runs,
      stored, seen, dead, stored_places, seen_places, dead_places, problem, settled_at)
    select "dayAt", "producer", "epoch", "life", "queue", "seq", "before", "total", ${named(queue, 'parts')},
      case when ${countOf('"storedPlaces"')} < "total" then ${named(queue, 'runs')} end,
      ${countOf('"storedPlaces"')}, ${countOf('"seenPlaces"')}, ${deadOf('"deadPlaces"', '"seenPlaces"')},
      "storedPlaces", "seenPlaces", "deadPlaces", "problem", ${settledAt('"seenPlaces"', '"deadPlaces"')}
    from (${source}) as account
    order by "producer", "epoch", "life", "queue", "seq"
    on conflict (producer, epoch, life, queue, seq, day_at) do update set
      stored_places = ${stored}, seen_places = ${seen}, dead_places = ${dead},
      stored = ${countOf(stored)}, seen = ${countOf(seen)}, dead = ${deadOf(dead, seen)},
      runs = case when ${countOf(stored)} < chunk.total then coalesce(chunk.runs, excluded.runs) end,
      problem = coalesce(chunk.problem, excluded.problem),
      settled_at = coalesce(chunk.settled_at, ${settledAt(seen, dead)})
    where chunk.total = excluded.total`;
}

const none = '("places" # "places")';

/** Beside a COPY, which has stored all the records: its one parameter is a list of accounts. */
export const storedStatement = upsertFor(
  `"places" as "storedPlaces", "places" | "erased" as "seenPlaces", ${none} as "deadPlaces"`,
);

/** Beside dead letters: its one parameter is a list of accounts, whose records are dead. */
export const deadStatement = upsertFor(`${none} as "storedPlaces", "erased" as "seenPlaces", "places" as "deadPlaces"`);

/** For an erasure: its one parameter is a list of accounts, whose records are erased. They count as those that were there already. */
export const erasedStatement = upsertFor(
  `${none} as "storedPlaces", "places" | "erased" as "seenPlaces", ${none} as "deadPlaces"`,
);

/** It also locks the table of erasures, as those that store records do. */
function upsertFor(places: string): (queue: QueueName) => JsonStatement {
  const parameter = 'the parameter';
  const source = `select account.*, ${places} from json_to_recordset(${parameter}::json) as account (${shape})`;
  const lock = 'with erasures as (select from sluice.subject_erasure where false for key share) ';
  const statementOf = (queue: QueueName): JsonStatement => {
    const [start, end] = upsertOf(queue, source).split(parameter) as [string, string];
    return [hasRealms(queue) ? `${lock}${start}` : start, end];
  };
  const statements = new Map(queueNames.map((queue) => [queue, statementOf(queue)]));
  return (queue) => statements.get(queue) as JsonStatement;
}

/**
 * What makes the statement that stores records add to their accounts, as WITH queries with one parameter, a list of accounts.
 *
 * @param settled a query of the records that are settled: `"index"` in the statement, from 0, and `"isStored"`
 * @param areAllStored a condition; where it holds, `settled` is not needed
 */
export function accountQueries(
  queue: QueueName,
  { settled, areAllStored }: { settled: string; areAllStored: string },
): JsonStatement {
  const placesWhere = (condition: string): string => `(
    select string_agg(case when ${condition} then '1' else '0' end, '' order by at)
    from generate_series(0, account."total" - 1) as at
    left join placed on placed.n = account.n and placed.place = at)::bit varying`;
  return [
    `account as materialized (
    select account.*, row_number() over () as n from json_to_recordset(`,
    `::json) as account (${shape})
  ),
  settled as materialized (${settled}),
  placed as materialized (
    select account.n, pick.place + settled."index" - pick."index" as place, bool_or("isStored") as is_stored
    from account
    cross join json_to_recordset(account."picks") as pick ("index" integer, "place" integer, "count" integer)
    join settled on settled."index" >= pick."index" and settled."index" < pick."index" + pick."count"
    group by 1, 2
  ),
  accounted as (
    ${upsertOf(
      queue,
      `select account.*, case when ${areAllStored} then "places" else ${placesWhere('placed.is_stored')} end as "storedPlaces",
      (case when ${areAllStored} then "places" else ${placesWhere('placed.place is not null')} end) | "erased" as "seenPlaces",
      ${none} as "deadPlaces"
    from account`,
    )}
  )`,
  ];
}

/** The accounts of whole chunks as a parameter; null when there are none. */
export function toAccounts(accounts: readonly (ChunkAccount | null)[]): string | null {
  const some = accounts.flatMap((account) => (account === null ? [] : [{ account, places: account.places }]));
  return some.length === 0 ? null : JSON.stringify(merged(some).map(toJson));
}

/** The accounts of some records of chunks as a parameter, by which a statement finds its records; null when there are none. */
export function toAccountedRecords(records: readonly AccountedRecords[]): string | null {
  if (records.length === 0) return null;
  const pieces = records.map(({ account, places, index }) => ({
    account,
    places: toRanges(new Set(places.toSorted((a, b) => a - b))),
    picks: toPicks(places, index),
  }));
  return JSON.stringify(merged(pieces).map(toJson));
}

interface Piece {
  account: ChunkAccount;
  places: readonly PlaceRange[];
  picks?: readonly Pick[];
}

interface Pick {
  index: number;
  place: number;
  count: number;
}

/** Records in a row whose places are in a row, too. */
function toPicks(places: readonly number[], index: number): Pick[] {
  const picks: Pick[] = [];
  for (const [offset, place] of places.entries()) {
    const last = picks.at(-1);
    if (last !== undefined && last.place + last.count === place) last.count += 1;
    else picks.push({ index: index + offset, place, count: 1 });
  }
  return picks;
}

/** One for each chunk: a statement cannot write a row twice. */
function merged(pieces: readonly Piece[]): Piece[] {
  const byChunk = Map.groupBy(pieces, ({ account: { producer, epoch, life, seq } }) =>
    JSON.stringify([producer, epoch, life, seq]),
  );
  return [...byChunk.values()].flatMap((some) => {
    const [first, ...others] = some;
    if (first === undefined || others.length === 0) return some;
    // Whoever contradicts the first one has no account.
    const alike = some.filter(
      ({ account: { total, dayAt } }) => total === first.account.total && dayAt === first.account.dayAt,
    );
    return [
      {
        account: first.account,
        places: toRanges(new Set(alike.flatMap(({ places }) => [...eachPlace(places)]).sort((a, b) => a - b))),
        picks: alike.flatMap(({ picks = [] }) => picks),
      },
    ];
  });
}

function* eachPlace(ranges: readonly PlaceRange[]): Generator<number> {
  for (const [from, until] of ranges) for (let place = from; place < until; place += 1) yield place;
}

function toJson({ account, places, picks }: Piece): object {
  const { total, erased, runs, ...rest } = account;
  const isWhole = picks === undefined && places.length === 1 && places[0]?.[0] === 0 && places[0][1] === total;
  return {
    ...rest,
    total,
    // Not kept for a chunk that was stored as a whole.
    runs: isWhole ? [] : runs,
    places: toBits(places, total),
    erased: toBits(erased, total),
    ...(picks === undefined ? {} : { picks }),
  };
}

function toBits(ranges: readonly PlaceRange[], total: number): string {
  let bits = '';
  for (const [from, until] of ranges) bits += '0'.repeat(from - bits.length) + '1'.repeat(until - from);
  return bits + '0'.repeat(total - bits.length);
}

/** The account of some records of one chunk as a parameter. @param places theirs in the whole chunk */
export function toAccountOf({ account, places }: { account: ChunkAccount; places: readonly number[] }): string {
  return JSON.stringify([toJson({ account, places: toRanges(new Set(places.toSorted((a, b) => a - b))) })]);
}
