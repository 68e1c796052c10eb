import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Tally } from './estimates.ts';
import type { Part } from './parts.ts';

/** The errors of failed runs, most frequent first. A name of more than 63 characters ends in a hash instead of its rest. */
export interface ErrorCodes {
  codes: (Tally & { code: string })[];
  /** failures with codes that are not listed */
  others: Tally;
  /** failures without a code */
  withoutCode: Tally;
}

/** The cases that ok runs matched, most frequent first. */
export interface Cases {
  cases: (Tally & { caseName: string })[];
  /** ok runs with cases that are not listed */
  others: Tally;
  /** ok runs that matched no case */
  unmatched: Tally;
  /** runs that failed, whatever they had matched before */
  failed: Tally;
}

interface OutcomeRow extends Tally {
  failed: boolean;
  outcome: string | null;
  rank: number;
}

/** @param top how many codes and how many cases are listed by name */
export function outcomesPart(top: number): Part<OutcomeRow, { errorCodes: ErrorCodes; cases: Cases }> {
  // Ordered by runs, then by name, so that equal counts have a stable order.
  return {
    needsOutcomeCounts: true,
    query: Prisma.sql`select failed, case when outcome is not null and rank <= ${top}::int then outcome end as outcome,
        case when outcome is null then -1 else least(rank, ${top + 1}::int) end as rank, sum(rows) as rows, sum(runs) as runs
      from (
        select status <> 'ok' as failed, outcome, sum(n) as rows, sum(n * weight) as runs,
          row_number() over (partition by status <> 'ok', outcome is null order by sum(n * weight) desc, outcome collate "C")::int as rank
        from outcome_counts group by 1, 2
      ) as ranked
      group by 1, 2, 3 order by 1, 3`,
    read: (rows) => toOutcomes(rows, top),
  };
}

function toOutcomes(rows: readonly OutcomeRow[], top: number): { errorCodes: ErrorCodes; cases: Cases } {
  const tallyOf = (row: Tally | undefined): Tally => ({ rows: row?.rows ?? 0, runs: row?.runs ?? 0 });
  const split = (failed: boolean) => {
    const mine = rows.filter((row) => row.failed === failed);
    return {
      named: mine.flatMap((row) => (row.outcome === null ? [] : [{ name: row.outcome, ...tallyOf(row) }])),
      others: tallyOf(mine.find(({ rank }) => rank > top)),
      unnamed: tallyOf(mine.find(({ rank }) => rank < 0)),
      all: mine.reduce((sum, row) => ({ rows: sum.rows + row.rows, runs: sum.runs + row.runs }), tallyOf(undefined)),
    };
  };
  const failures = split(true);
  const oks = split(false);
  return {
    errorCodes: {
      codes: failures.named.map(({ name, ...tally }) => ({ code: name, ...tally })),
      others: failures.others,
      withoutCode: failures.unnamed,
    },
    cases: {
      cases: oks.named.map(({ name, ...tally }) => ({ caseName: name, ...tally })),
      others: oks.others,
      unmatched: oks.unnamed,
      failed: failures.all,
    },
  };
}
