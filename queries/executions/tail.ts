import { executionStatuses } from '../../shared/contracts/execution.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from './snapshot.ts';
import { type ExecutionSummary, summaryColumns } from './summary.ts';

/** Every status except ok. */
const failureStatuses = executionStatuses.filter((status) => status !== 'ok');

/** Identifies a row. */
export interface RowKey {
  id: string;
  recordedAt: Date;
}

/** Which executions a tail reports; a field that is left out does not restrict them. */
export interface TailFilter {
  strategyId?: string;
  /** only those that are not ok */
  failures: boolean;
}

/** The rows that were read, and when, by the database's clock. */
export interface Reading<Row> {
  rows: Row[];
  nowMs: number;
}

/** Reads executions from a given time on, except the known ones, oldest first. */
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

/** The keys of all executions from a given time on. */
export function readKeys(database: Database, filter: TailFilter, from: Date): Promise<Reading<RowKey>> {
  return read(
    database,
    Prisma.sql`select id, recorded_at as "recordedAt" from sluice.strategy_execution_log where ${conditionsOf(filter, from)}`,
  );
}

/** The time of the database, in ms since 1970. */
export async function readClock(database: Pick<Database, '$queryRaw'>): Promise<number> {
  const [clock] = await database.$queryRaw<{ now: Date }[]>`select clock_timestamp() as now`;
  if (clock === undefined) throw new Error('the database did not return its time');
  return clock.now.getTime();
}

async function read<Row>(database: Database, statement: Prisma.Sql): Promise<Reading<Row>> {
  return inSnapshot(database, async (snapshot) => {
    const nowMs = await readClock(snapshot);
    return { rows: await snapshot.$queryRaw<Row[]>(statement), nowMs };
  });
}

/** There is no upper bound: the clock of a producer may be ahead. */
function conditionsOf({ strategyId, failures }: TailFilter, from: Date): Prisma.Sql {
  const conditions = [Prisma.sql`recorded_at >= ${from}`];
  if (strategyId !== undefined) conditions.push(Prisma.sql`strategy_id = ${strategyId}`);
  if (failures) conditions.push(Prisma.sql`status in (${Prisma.join(failureStatuses)})`);
  return Prisma.join(conditions, ' and ');
}
