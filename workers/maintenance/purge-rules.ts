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
}

/**
 * What is purged. Dead letters go when somebody has dealt with them. Open ones stay for ever: each is a record that no
 * other place has, and whoever wants to lose it can discard it.
 */
export function purgeRules({ retention }: Config): PurgeRule[] {
  return [
    {
      table: 'dead_letter',
      key: 'id',
      since: 'state_since',
      condition: `state in ('replayed', 'discarded')`,
      keepDays: retention.deadLetterDays,
    },
  ];
}
