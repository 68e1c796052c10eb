import { executionStatuses } from '../../shared/contracts/execution.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from './snapshot.ts';
import { type ExecutionSummary, summaryColumns } from './summary.ts';

/** Everything but ok. */
const failureStatuses = executionStatuses.filter((status) => status !== 'ok');

/** What tells one row from another. */
export interface RowKey {
  id: string;
  recordedAt: Date;
}

/** Which executions a tail tells of; what is left out does not restrict. */
export interface TailFilter {
  strategyId?: string;
  /** only those that are not ok */
  failures: boolean;
}

/** What was read, and when by the database's clock. */
export interface Reading<Row> {
  rows: Row[];
  nowMs: number;
}

/** Reads executions from a time on that are not among the known ones, the oldest first. */
export function readUnknown(
  database: Database,
  question: { filter: TailFilter; from: Date; known: readonly RowKey[]; limit: number },
): Promise<Reading<ExecutionSummary>> {
  const { filter, from, known, limit } = question;
  const ids = known.map(({ id }) => id);
  const times = known.map(({ recordedAt }) => recordedAt);
  return read(
    database,
    Prisma.sql`select ${summaryColumns} from sluice.strategy_execution_log
      where ${conditionsOf(filter, from)} and not exists (
        select from unnest(${ids}::uuid[], ${times}::timestamptz[]) as known (known_id, known_at)
        where known_id = id and known_at = recorded_at)
      order by recorded_at, id limit ${limit}`,
  );
}

/** The keys of all executions from a time on. */
export function readKeys(database: Database, filter: TailFilter, from: Date): Promise<Reading<RowKey>> {
  return read(
    database,
    Prisma.sql`select id, recorded_at as "recordedAt" from sluice.strategy_execution_log where ${conditionsOf(filter, from)}`,
  );
}

/** The time of the database, in ms since 1970. */
export async function readClock(database: Pick<Database, '$queryRaw'>): Promise<number> {
  const [clock] = await database.$queryRaw<{ now: Date }[]>`select clock_timestamp() as now`;
  if (clock === undefined) throw new Error('the database does not tell its time');
  return clock.now.getTime();
}

async function read<Row>(database: Database, statement: Prisma.Sql): Promise<Reading<Row>> {
  return inSnapshot(database, async (snapshot) => {
    const nowMs = await readClock(snapshot);
    return { rows: await snapshot.$queryRaw<Row[]>(statement), nowMs };
  });
}

/** There is no end: the clock of a producer may be ahead. */
function conditionsOf({ strategyId, failures }: TailFilter, from: Date): Prisma.Sql {
  const conditions = [Prisma.sql`recorded_at >= ${from}`];
  if (strategyId !== undefined) conditions.push(Prisma.sql`strategy_id = ${strategyId}`);
  if (failures) conditions.push(Prisma.sql`status in (${Prisma.join(failureStatuses)})`);
  return Prisma.join(conditions, ' and ');
}
