import type pg from 'pg';

/** An execution as a row, recorded at the given instant. */
export async function insertExecution(client: pg.Client, recordedAt: string | Date, count = 1): Promise<void> {
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     select gen_random_uuid(), $1, 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1 from generate_series(1, $2)`,
    [recordedAt, count],
  );
}

/** An execution of this id as a row. */
export async function insertRun(client: pg.Client, id: string, recordedAt: Date): Promise<void> {
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     values ($1, $2, 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1)`,
    [id, recordedAt],
  );
}

/** So many dead letters in a state since so many days. */
export async function insertDeadLetters(client: pg.Client, state: string, days: number, count: number): Promise<void> {
  await client.query(
    `insert into dead_letter (queue, record_key, payload, code, reason, signature, state, state_since, first_seen)
     select 'execution-log', gen_random_uuid()::text, '{}', '22P05', 'r', 's', $1, now() - make_interval(days => $2), now() - make_interval(days => $2)
     from generate_series(1, $3)`,
    [state, days, count],
  );
}

/** The partitions of the execution log by name, with their rows. */
export async function partitionRows(client: pg.Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'strategy_execution_log'::regclass order by 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const counted = await client.query<{ n: number }>(`select count(*)::int as n from ${name}`);
    counts[name] = counted.rows[0]?.n ?? 0;
  }
  return counts;
}

/** Midnight UTC so many days ago, and a partition of that day. */
export async function createDay(client: pg.Client, daysAgo: number): Promise<{ name: string; noon: Date }> {
  const from = new Date(Math.floor(Date.now() / 86_400_000 - daysAgo) * 86_400_000);
  const until = new Date(from.getTime() + 86_400_000);
  const name = `strategy_execution_log_${from.toISOString().slice(0, 10).replaceAll('-', '')}`;
  // After many rows autovacuum comes, and a drop that meets it is put off, as it should be: no test may depend on when.
  await client.query(
    `create table if not exists ${name} partition of strategy_execution_log for values from ('${from.toISOString()}') to ('${until.toISOString()}')
       with (autovacuum_enabled = false, toast.autovacuum_enabled = false)`,
  );
  return { name, noon: new Date(from.getTime() + 43_200_000) };
}

/** Fills the DEFAULT partition with so many rows of 2020. Its indexes are built at the end, which takes a fifth of the time. */
export async function fillDefault(client: pg.Client, count: number): Promise<void> {
  await client.query(`
    alter table strategy_execution_log detach partition strategy_execution_log_default;
    drop table strategy_execution_log_default;
    create table strategy_execution_log_default (like strategy_execution_log including all excluding indexes);`);
  await client.query(
    `insert into strategy_execution_log_default (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     select gen_random_uuid(), '2020-01-01Z', 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1 from generate_series(1, $1)`,
    [count],
  );
  await client.query('alter table strategy_execution_log attach partition strategy_execution_log_default default');
}
