import type pg from 'pg';
import { expect } from 'vitest';
import { listExecutions } from '../../queries/executions/list.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { type AtEnd, asRole, connect, createTestDatabase } from './fixtures.ts';
import { openDatabase } from './health.ts';

/** What a test cares about of a row; the rest is plain. */
export interface RunRow {
  at?: string | Date;
  strategyId?: string;
  status?: string;
  errorCode?: string | null;
  caseName?: string | null;
  points?: number | string | null;
  durationMs?: number | string;
  nodes?: number;
  realmId?: string;
  userId?: string;
  sampleRate?: number;
  /** @default true for ok, as the SDK stores it */
  sampled?: boolean;
  version?: number;
  trace?: unknown;
  traceId?: string;
}

export const noon = '2026-03-01T12:00:00.000Z';
export const atSecond = (second: number): string => new Date(Date.parse(noon) + second * 1_000).toISOString();

/** The window from 11 to 13 o'clock around it. */
export const aroundNoon = { since: new Date('2026-03-01T11:00:00Z'), until: new Date('2026-03-01T13:00:00Z') };

/** A migrated database of the test's own, as the console and an onlooker see it. */
export async function openLog(atEnd?: AtEnd): Promise<{ database: Database; client: pg.Client }> {
  const url = await createTestDatabase(atEnd);
  return { database: openDatabase(asRole(url, 'console'), atEnd), client: await connect(url, atEnd) };
}

/** Inserts rows in one statement and gives their ids, in their order. */
export async function insertRuns(client: pg.Client, rows: readonly RunRow[]): Promise<string[]> {
  const records = rows.map((row) => {
    const { status = 'ok', points = null, durationMs = 1, sampled = status === 'ok' } = row;
    return {
      at: row.at ?? noon,
      strategy_id: row.strategyId ?? 's1',
      version: row.version ?? 3,
      realm_id: row.realmId ?? 'realm-1',
      user_id: row.userId ?? 'user-1',
      status,
      error_code: row.errorCode ?? null,
      case_name: row.caseName ?? null,
      points: points === null ? null : String(points),
      duration_ms: String(durationMs),
      nodes: row.nodes ?? 1,
      sampled,
      sample_rate: row.sampleRate ?? 1,
      trace: row.trace ?? null,
      trace_id: row.traceId ?? null,
    };
  });
  const inserted = await client.query<{ id: string }>(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, realm_id,
       external_user_id, status, error_code, case_name, points, duration_ms, nodes_executed, sampled, sample_rate, trace, trace_id)
     select gen_random_uuid(), at, strategy_id, version, 'DSL_FULL', realm_id, user_id, status, error_code, case_name,
       points::float8, duration_ms::float8, nodes, sampled, sample_rate, trace, trace_id
     from json_to_recordset($1::json) as row (at timestamptz, strategy_id text, version int, realm_id text, user_id text,
       status text, error_code text, case_name text, points text, duration_ms text, nodes int, sampled boolean,
       sample_rate float8, trace jsonb, trace_id text)
     returning id`,
    [JSON.stringify(records)],
  );
  return inserted.rows.map(({ id }) => id);
}

/** The rows that the original's repository tests are about: on s1 six ok, two errors and a timeout; on s2 one ok. */
export const upstreamRows: readonly RunRow[] = [
  ...[1, 2, 3, 4].map((points) => ({ caseName: 'A', points, durationMs: points * 10, nodes: 2 })),
  { caseName: 'B', points: 5, durationMs: 50, nodes: 7 },
  { caseName: null, points: 6, durationMs: 60 },
  { status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', durationMs: 3 },
  { status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', durationMs: 4 },
  { status: 'timeout', errorCode: 'DSL_TIMEOUT', durationMs: 999 },
  { strategyId: 's2', caseName: 'Z', points: 100, durationMs: 5 },
];

/** Numbers from 0 to 1, the same in each run of a test (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Reads a list to its end, page by page; no page is longer than was asked for. */
export async function* pagesOf(
  database: Database,
  question: Omit<Parameters<typeof listExecutions>[1], 'cursor'> & { limit: number },
): AsyncGenerator<string[]> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listExecutions>> = await listExecutions(database, { ...question, cursor });
    expect(page.executions.length).toBeLessThanOrEqual(question.limit);
    yield page.executions.map(({ id }) => id);
    cursor = page.cursor;
  } while (cursor !== null);
}
