import {
  droppedRecords,
  type LedgerCounters,
  type LedgerReportJob,
  ledgerCounters,
} from '../../contracts/ledger-report.ts';
import type { QueueName } from '../../contracts/queues.ts';
import type { JsonStatement } from '../postgres/database.ts';
import { erasedRealmOf, isErasedRealm, lastErasure } from './erased-realm.ts';

const key = ['producer', 'epoch', 'life', 'queue'];
const counters = [...ledgerCounters, 'dropped', 'droppedBy'] as const;
const state = [
  ...['kind', 'report', 'isFinal', 'lastSeq', 'chunkedRecords', 'waitingRecords', 'unacknowledged'],
  ...['spilledRecords', 'takenOverRecords'],
] as const;

const types: Readonly<Record<string, string>> = {
  ...{ producer: 'text', life: 'text', queue: 'text', kind: 'text', realm: 'text', isFinal: 'boolean' },
  ...{ unacknowledged: 'jsonb', droppedBy: 'jsonb', at: 'double precision', minute: 'double precision' },
};

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
const shapeOf = (names: readonly string[]): string =>
  names.map((name) => `"${name}" ${types[name] ?? 'bigint'}`).join(', ');
const toColumn = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const columnsOf = (names: readonly string[]): string => names.map(toColumn).join(', ');

const ofLife = [...state, ...counters];
const lagMs = `(extract(epoch from clock_timestamp()) * 1000 - "at")::bigint`;

/** What was erased since has another name. */
const realmNow = `case
  when minute_at <= ${lastErasure} and ${isErasedRealm('"realm"', 'minute_at')} then ${erasedRealmOf('"realm"')}
  else "realm" end`;

/**
 * Takes in reports: lives as a first parameter, their minutes as a second one. A repeat, and what an older report says, changes
 * nothing. In the order of their keys, so that two statements cannot wait for each other.
 */
export const reportStatement = (queue: QueueName): JsonStatement => [
  `with ${queue === 'execution-log' ? 'erasures as (select from sluice.subject_erasure where false for key share), ' : ''}lives as (
    insert into sluice.ledger_life as life (${columnsOf([...key, ...ofLife])}, reported_at, lag_ms, least_lag_ms)
    select ${quoted([...key, ...ofLife])}, to_timestamp("at" / 1000), ${lagMs}, ${lagMs}
    from json_to_recordset(`,
  `::json) as report (${shapeOf([...key, ...ofLife, 'at'])})
    order by ${quoted(key)}
    on conflict (${key.join(', ')}) do update set ${[...ofLife.map(toColumn), 'reported_at', 'lag_ms']
      .map((column) => `${column} = excluded.${column}`)
      .join(', ')},
      last_at = excluded.last_at, least_lag_ms = least(life.least_lag_ms, excluded.lag_ms)
    where excluded.report > life.report
  )
  insert into sluice.ledger_minute as minute (${columnsOf([...key, 'realm', ...counters])}, minute_at)
  select ${quoted(key)}, realm_now, ${quoted(counters)}, minute_at
  from json_to_recordset(`,
  `::json) as report (${shapeOf([...key, 'minute', 'realm', ...counters])})
  cross join lateral (select to_timestamp("minute" * 60) as minute_at) as time
  cross join lateral (select ${queue === 'execution-log' ? realmNow : `''`} as realm_now) as naming
  order by ${quoted(key)}, minute_at, realm_now
  on conflict (${key.join(', ')}, minute_at, realm) do update set
    ${ledgerCounters
      .map(toColumn)
      .map((column) => `${column} = greatest(minute.${column}, excluded.${column})`)
      .join(', ')},
    dropped = greatest(minute.dropped, excluded.dropped),
    dropped_by = case when excluded.dropped > minute.dropped then excluded.dropped_by else minute.dropped_by end
  where ${[...ledgerCounters.map(toColumn), 'dropped'].map((column) => `excluded.${column} > minute.${column}`).join(' or ')}`,
];

/** Reports as the parameters of `reportStatement`. Of several of one life, the newest one counts for the life, and all for its minutes. */
export function toReportParameters(
  queue: QueueName,
  jobs: readonly LedgerReportJob[],
): [lives: string, minutes: string] {
  const lives = new Map<string, { number: number; row: object }>();
  const minutes = new Map<string, { origin: object; minute: number; realm: string; counters: LedgerCounters }>();
  // Requests have no realm.
  const realmOf = (realm: string | null): string => (queue === 'execution-log' ? (realm ?? '') : '');
  for (const { producer, epoch, life, report } of jobs) {
    const origin = { producer, epoch, life, queue };
    const name = `${producer} ${epoch} ${life}`;
    if (report.number > (lives.get(name)?.number ?? 0))
      lives.set(name, { number: report.number, row: toLife(origin, report) });
    for (const [minute, realm, told] of report.minutes) {
      const place = `${name} ${minute} ${realmOf(realm)}`;
      const before = minutes.get(place)?.counters ?? {};
      minutes.set(place, { origin, minute, realm: realmOf(realm), counters: greatest(before, told) });
    }
  }
  return [
    JSON.stringify([...lives.values()].map(({ row }) => row)),
    JSON.stringify(
      [...minutes.values()].map(({ origin, minute, realm, counters: told }) => ({
        ...{ ...origin, minute, realm },
        ...toColumns(told),
      })),
    ),
  ];
}

function toLife(origin: object, report: LedgerReportJob['report']): object {
  const { number, at, totals, minutes: _minutes, ...rest } = report;
  return { ...origin, ...rest, report: number, at, ...toColumns(totals) };
}

function toColumns(told: LedgerCounters): object {
  return {
    ...Object.fromEntries(ledgerCounters.map((name) => [name, told[name] ?? 0])),
    dropped: droppedRecords(told),
    droppedBy: told.dropped ?? {},
  };
}

function greatest(one: LedgerCounters, other: LedgerCounters): LedgerCounters {
  return {
    ...Object.fromEntries(ledgerCounters.map((name) => [name, Math.max(one[name] ?? 0, other[name] ?? 0)])),
    dropped: droppedRecords(other) > droppedRecords(one) ? other.dropped : one.dropped,
  };
}
