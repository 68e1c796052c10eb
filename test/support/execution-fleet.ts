import { inject } from 'vitest';
import { createBullmqTransport } from '../../producers/core/transport.ts';
import { toExecutionRecord } from '../../producers/executions/execution-record.ts';
import type { Execution } from '../../producers/index.ts';
import { recordSeparator } from '../../shared/contracts/canonical-text.ts';
import { deadLetterName } from '../../shared/contracts/dead-letter-key.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { anExecution } from './execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from './fixtures.ts';
import { targetOf } from './redis-target.ts';
import { startWorker } from './worker.ts';

/** An id that a test can count with. */
export const idOf = (number: number): string => `0197c2f0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** The text of an execution record as the SDK writes it. */
export function recordText(number: number, overrides: Partial<Execution> = {}): string {
  const execution = anExecution({ id: idOf(number), recordedAt: new Date(), ...overrides });
  return toExecutionRecord(execution, { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 }).json;
}

/** A database, a queue of executions and ways to look at both. */
export async function anExecutionFleet(environment: Record<string, string> = {}, existingDatabase?: string) {
  const databaseUrl = existingDatabase ?? (await createTestDatabase());
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  const queue = openQueue(namespace);
  let seq = 0;

  /** Adds one job for each list of records. */
  const add = async (...chunks: string[][]): Promise<void> => {
    const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
    const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace });
    await transport.send(
      chunks.map((records) => {
        seq += 1;
        return {
          id: `job-${seq}`,
          data: `{"v":1,"producer":"test","epoch":1,"seq":${seq},"records":[${records.join(recordSeparator)}]}`,
        };
      }),
    );
    await transport.close();
  };

  return {
    databaseUrl,
    namespace,
    client,
    queue,
    add,
    start: (more: Record<string, string> = {}) =>
      startWorker(databaseUrl, namespace, { SLUICE_JOB_DELAY_MS: '200', ...environment, ...more }),
    /** ids of the rows, in order */
    ids: async (): Promise<string[]> =>
      (await client.query('select id from strategy_execution_log order by id')).rows.map(({ id }) => id),
    /** the dead letters as `id code`, in order */
    deadLetters: async (): Promise<string[]> =>
      (await client.query('select record_key, code from dead_letter order by record_key')).rows.map(
        ({ record_key, code }) => `${deadLetterName(record_key)} ${code}`,
      ),
    reasons: async (): Promise<string[]> =>
      (await client.query('select reason from dead_letter order by record_key')).rows.map(({ reason }) => reason),
    /** Resolves when nothing is in the queue any more. */
    empty: () =>
      until(async () => {
        const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
        return waiting === 0 && active === 0 && delayed === 0;
      }),
  };
}

/** Makes a trigger on executions: `body` is the inside of a PL/pgSQL function. */
export function triggerSql(body: string, forEach: 'row' | 'statement' = 'row'): string {
  return `
    create or replace function odd_trigger() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
    create trigger odd before insert on strategy_execution_log for each ${forEach} execute function odd_trigger();`;
}
