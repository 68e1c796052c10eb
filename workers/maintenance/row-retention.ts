import type { Config } from '../../shared/platform/config/config.ts';

/** The DEFAULT partition of executions: all others are dropped whole. */
export interface CatchAll {
  name: string;
  /** when its column `stored_at` came to be, ISO 8601: a row without it is older. null: not known, and such rows stay */
  storedAtSince: string | null;
}

/** Rows that go when they are old enough. Names, of tables in the schema of Sluice, and conditions are ours, never a user's: they become SQL as they are. */
export interface PurgeRule {
  table: string;
  /** the column that names a row */
  key: string;
  /** the times of its age, as SQL: each of them has to be past */
  since: readonly string[];
  /** when the row was stored, by the database's clock, as SQL; null where that is not known */
  storedAt: string;
  /** what else must hold for it, as SQL */
  condition: string;
  /** days; 0 keeps for ever */
  keepDays: number;
  /** a table whose rows go with these: its `id` is in this column of them */
  part?: { table: string; idIn: string };
}

/** A record that waits in the queue for longer than this may bring back what was deleted meanwhile. */
const tombstoneDays = 90;

/** Who was erased. The rows of the second have a key of two columns. */
const erasures = [
  { table: 'creator_erasure', key: 'creator_hash' },
  { table: 'subject_erasure', key: 'ctid' },
];

/**
 * What is purged. Dead letters go when their record is stored, or somebody has discarded it. All others stay for ever,
 * those that were put back too, until a worker has stored them: each may be the only copy of its record. Requests go when they have ended, by their arrival; what
 * still runs stays.
 *
 * A time that a record says of itself may be any: the producer's clock is wrong, or seconds were taken for milliseconds. So
 * a row goes when it was also stored so long ago, and one from a time to come when it was stored so long ago. Then no row
 * goes sooner after it was stored than it is to be kept, and none is kept for longer.
 *
 * @param catchAll null where there is none
 * @param ledgerCatchAll the DEFAULT partition of the ledger's chunks; null where there is none
 */
export function purgeRules(
  { retention }: Pick<Config, 'retention'>,
  catchAll: CatchAll | null,
  ledgerCatchAll: string | null,
): PurgeRule[] {
  const storedBefore = catchAll?.storedAtSince == null ? '' : `, '${catchAll.storedAtSince}'::timestamptz`;
  const storedAt = `coalesce(stored_at${storedBefore})`;
  const requests = {
    table: 'request',
    key: 'id',
    storedAt: 'coalesce(stored_at, updated_at)',
    keepDays: retention.requestDays,
    part: { table: 'request_template', idIn: 'template_id' },
  };
  const hasEnded = `state in ('completed', 'failed', 'canceled')`;
  return [
    {
      table: 'dead_letter',
      key: 'id',
      since: ['state_since'],
      storedAt: 'first_seen',
      condition: `state in ('stored', 'discarded')`,
      keepDays: retention.deadLetterDays,
    },
    { ...requests, since: ['created_at', requests.storedAt], condition: hasEnded },
    {
      ...requests,
      since: [requests.storedAt],
      // The first part finds them by an index; the second leaves out what the rule above names.
      condition: `${hasEnded} and created_at > ${requests.storedAt}
        and created_at >= now() - make_interval(days => ${retention.requestDays})`,
    },
    ...(catchAll === null
      ? []
      : [
          {
            table: catchAll.name,
            key: 'ctid',
            since: [storedAt],
            storedAt,
            condition: 'true',
            keepDays: retention.days,
          },
        ]),
    ...ledgerRules(retention.ledgerDays, ledgerCatchAll),
    {
      table: 'request_tombstone',
      key: 'id',
      since: ['deleted_at'],
      storedAt: 'deleted_at',
      condition: 'true',
      keepDays: tombstoneDays,
    },
    ...erasures.map(({ table, key }) => ({
      table,
      key,
      since: ['erased_before'],
      storedAt: 'erased_before',
      condition: 'true',
      keepDays: tombstoneDays,
    })),
  ];
}

/** Keys of four columns and more. A minute of a producer whose clock is ahead goes by its storage. */
function ledgerRules(keepDays: number, catchAll: string | null): PurgeRule[] {
  const all = { key: 'ctid', condition: 'true', keepDays };
  const minutes = { ...all, table: 'ledger_minute', storedAt: 'stored_at' };
  return [
    { ...minutes, since: ['minute_at', 'stored_at'] },
    { ...minutes, since: ['stored_at'], condition: 'minute_at > now()' },
    { ...all, table: 'ledger_life', since: ['last_at'], storedAt: 'last_at' },
    ...(catchAll === null ? [] : [{ ...all, table: catchAll, since: ['first_at'], storedAt: 'first_at' }]),
  ];
}
