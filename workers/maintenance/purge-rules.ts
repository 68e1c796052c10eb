import type { Config } from '../../shared/config.ts';

/** Rows that go when they are old enough. Names and conditions are ours, never a user's: they become SQL as they are. */
export interface PurgeRule {
  table: string;
  /** the column that names a row */
  key: string;
  /** the column of its age */
  since: string;
  /** what else must hold for it, as SQL */
  condition: string;
  /** days; 0 keeps for ever */
  keepDays: number;
  /** a table whose rows go with these: its `id` is in this column of them */
  part?: { table: string; idIn: string };
}

/** A record that waits in the queue for longer than this may bring back what was deleted meanwhile. */
const tombstoneDays = 90;

/**
 * What is purged. Dead letters go when their record is stored, or somebody has discarded it. All others stay for ever,
 * those that were put back too, until a worker has stored them: each may be the only copy of its record. Requests go when they have ended, by their arrival; what
 * still runs stays.
 */
export function purgeRules({ retention }: Pick<Config, 'retention'>): PurgeRule[] {
  return [
    {
      table: 'dead_letter',
      key: 'id',
      since: 'state_since',
      condition: `state in ('stored', 'discarded')`,
      keepDays: retention.deadLetterDays,
    },
    {
      table: 'request',
      key: 'id',
      since: 'created_at',
      condition: `state in ('completed', 'failed', 'canceled')`,
      keepDays: retention.requestDays,
      part: { table: 'request_template', idIn: 'template_id' },
    },
    { table: 'request_tombstone', key: 'id', since: 'deleted_at', condition: 'true', keepDays: tombstoneDays },
    {
      table: 'creator_erasure',
      key: 'creator_hash',
      since: 'erased_before',
      condition: 'true',
      keepDays: tombstoneDays,
    },
  ];
}
