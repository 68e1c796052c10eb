import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import type { TestConsole } from './a-console.ts';
import { connectRedis, insertRuntimeRecord } from './health.ts';
import { aCompletion } from './requests.ts';

/** An execution as a row, recorded now, unless told otherwise. @returns its id */
export async function insertRun(client: pg.Client, overrides: Record<string, unknown> = {}): Promise<string> {
  const row: Record<string, unknown> = {
    id: randomUUID(),
    recorded_at: new Date(Date.now() - 60_000),
    strategy_id: 'bonus',
    strategy_version: 3,
    strategy_type: 'DSL_FULL',
    realm_id: 'acme',
    external_user_id: 'user-1',
    status: 'ok',
    points: 10,
    case_name: 'first',
    duration_ms: 12.5,
    nodes_executed: 4,
    trace: JSON.stringify([{ nodeId: 'n1', type: 'literal', value: 10 }]),
    trace_length: 1,
    sampled: true,
    sample_rate: 0.25,
    input: JSON.stringify({ streak: 4 }),
    ...overrides,
  };
  const columns = Object.keys(row);
  await client.query(
    `insert into strategy_execution_log (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
    Object.values(row),
  );
  return String(row['id']);
}

/** A dead letter of an execution. @returns its id */
export async function insertDeadLetter(client: pg.Client, overrides: Record<string, unknown> = {}): Promise<string> {
  const row: Record<string, unknown> = {
    id: randomUUID(),
    queue: 'execution-log',
    record_key: randomUUID(),
    contract_version: 1,
    payload: JSON.stringify({ strategyId: 'bonus', notes: 'of another time' }),
    code: 'schema',
    reason: 'id: Invalid input',
    signature: 'schema id: Invalid input',
    ...overrides,
  };
  const columns = Object.keys(row);
  await client.query(
    `insert into dead_letter (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
    Object.values(row),
  );
  return String(row['id']);
}

/** Something of every kind, to be asked for. */
export async function seed({ client, database, keys }: Pick<TestConsole, 'client' | 'database' | 'keys'>) {
  const completion = aCompletion({ createdBy: 'creator-1' });
  await storeRequests(database, JSON.stringify([completion]));
  await insertRuntimeRecord(client, { game_id: 'game-1', engine_health: 'healthy' });
  await connectRedis().xadd(keys.stream, '1-0', 'game_id', 'game-1');
  return {
    executionId: await insertRun(client),
    failureId: await insertRun(client, {
      status: 'timeout',
      sampled: false,
      sample_rate: 1,
      error_code: 'DSL_TIMEOUT',
    }),
    foreignId: await insertRun(client, { realm_id: 'other', strategy_id: 'theirs' }),
    requestId: completion.requestId,
    deadLetterId: await insertDeadLetter(client),
  };
}
