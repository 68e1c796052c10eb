import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  listRequests,
  type RequestFilter,
  type RequestState,
  requestStates,
  toListStatement,
} from '../../../queries/requests/list-requests.ts';
import { inSchema } from '../../../shared/platform/postgres/schema.ts';
import { storeStatement } from '../../../workers/completed-requests/statement.ts';
import { ourSchema } from '../../support/fixtures.ts';
import { aBeginning, aCompletion, aRequestStore, stateColumns } from '../../support/requests.ts';

interface Made {
  id: string;
  second: number;
  state: RequestState;
  createdBy: string;
}

const timeOf = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

/** The order of a list, said once more in other words. */
function compare(a: Made, b: Made): number {
  const rank = ({ state }: Made): number =>
    (({ processing: 0, claimed: 1, pending: 2 }) as Record<string, number>)[state] ?? 3;
  return rank(a) - rank(b) || b.second - a.second || (a.id < b.id ? 1 : -1);
}

const anyRow = fc.record({
  id: fc.uuid({ version: 4 }),
  // Few seconds, so that many rows have the same.
  second: fc.integer({ min: 10, max: 13 }),
  state: fc.constantFrom(...requestStates),
  createdBy: fc.constantFrom('user-1', 'user-2'),
});
const rowsOf = (constraints: object) => fc.uniqueArray(anyRow, { selector: ({ id }) => id, ...constraints });

test('request list: pages together have each request once and in order, whatever arrives before what was read', async () => {
  const { reader, client, store } = await aRequestStore();
  const insert = async (rows: readonly Made[]): Promise<void> => {
    await store(
      rows.map(({ id, second, createdBy }) => aBeginning({ requestId: id, startedAt: timeOf(second), createdBy })),
    );
    for (const state of requestStates) {
      const ids = rows.filter((row) => row.state === state).map(({ id }) => id);
      await client.query(`update request set ${stateColumns[state]} where id = any($1)`, [ids]);
    }
  };
  const scenario = fc.record({
    rows: rowsOf({ maxLength: 25 }),
    late: rowsOf({ maxLength: 10 }),
    limit: fc.integer({ min: 1, max: 8 }),
    createdBy: fc.constantFrom(undefined, 'user-1'),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, late, limit, createdBy }) => {
      await client.query('truncate request, request_template');
      await insert(rows);
      const expected = rows
        .filter((row) => createdBy === undefined || row.createdBy === createdBy)
        .sort(compare)
        .map(({ id }) => id);
      const filter = createdBy === undefined ? {} : { createdBy };
      const read: string[] = [];
      const coming = late.filter(({ id }) => rows.every((row) => row.id !== id));
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof listRequests>> = await listRequests(reader, { filter, limit, cursor });
        expect(page.requests.length).toBeLessThanOrEqual(limit);
        read.push(...page.requests.map(({ id }) => id));
        cursor = page.cursor;
        // What comes meanwhile is put before the row that was read last.
        const last = rows.find(({ id }) => id === read.at(-1));
        const next = coming.pop();
        if (last !== undefined && next !== undefined) {
          await insert([{ ...next, state: last.state, second: last.second + 1 }]);
        }
      } while (cursor !== null);
      expect(read).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

/** What a plan is made of: `Seq Scan on request`, `Sort`, and so on. */
function nodesOf(plan: Record<string, unknown>): string[] {
  const relation = plan['Relation Name'] === undefined ? '' : ` on ${plan['Relation Name']}`;
  const children = (plan['Plans'] ?? []) as Record<string, unknown>[];
  return [`${plan['Node Type']}${relation}`, ...children.flatMap(nodesOf)];
}

const filters: [name: string, filter: RequestFilter][] = [
  ['nothing', {}],
  ['a creator', { createdBy: 'user-7' }],
  ['a model', { model: 'model-3' }],
  ['a creator and a class of status', { createdBy: 'user-7', statusClass: '5xx' }],
  ['a time window', { from: new Date('2026-03-02T00:00:00Z'), until: new Date('2026-03-03T00:00:00Z') }],
  ['a state that is worked on', { state: 'processing' }],
  ['a class of status', { statusClass: '4xx' }],
];

test('request plans: with tens of thousands of requests neither lists nor the storing statement read them all', async () => {
  const { client } = await aRequestStore({});
  await client.query(`
    insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
    select md5(n::text)::uuid, 'POST', '/', 'm', 'body', 'utf8', 4, false, now() from generate_series(1, 25000) n`);
  await client.query(`
    insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
      error, created_at, claimed_at, started_at, completed_at, failed_at)
    select md5(n::text)::uuid, md5(n::text)::uuid,
      case when n % 2000 = 0 then 'processing' when n % 10 = 0 then 'failed' else 'completed' end, 'model-' || n % 5, 'priority',
      'user-' || n % 100, '00000000-0000-0000-0000-000000000000', case when n % 10 = 0 then 500 else 200 end, repeat('x', 100),
      '{}', t, t, t, t, t
    from generate_series(1, 25000) n, lateral (select timestamptz '2026-03-01' + n * interval '12 seconds' as t) as times`);
  await client.query('analyze request, request_template');
  const explain = async (text: string, values: unknown[]): Promise<string[]> => {
    const { rows } = await client.query(inSchema(`explain (format json) ${text}`, ourSchema()), values);
    return nodesOf(rows[0]['QUERY PLAN'][0].Plan);
  };

  for (const [name, filter] of filters) {
    for (const after of [
      null,
      {
        part: 'ended' as const,
        createdAt: new Date('2026-03-02T12:00:00Z'),
        id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
      },
    ]) {
      const statement = toListStatement(filter, 51, after);
      if (statement === null) continue;
      const nodes = await explain(statement.text, statement.values);
      const slow = nodes.filter((node) => node.endsWith(' on request') && !/^(Index|Bitmap Heap) Scan/.test(node));
      expect([name, slow]).toEqual([name, []]);
      // A page of those that have ended is read in order, but where a filter without an index leaves few.
      if (after !== null && filter.state === undefined && filter.statusClass === undefined) {
        expect(nodes.filter((node) => /^(Sort|Bitmap)/.test(node)).length).toBeLessThanOrEqual(1);
        expect(nodes).toContain('Index Scan on request');
      }
    }
  }

  const records = Array.from({ length: 1_000 }, (_, n) => (n % 2 === 0 ? aCompletion() : aBeginning()));
  const nodes = await explain(storeStatement.join('$1'), [JSON.stringify(records)]);
  expect(nodes.filter((node) => node.startsWith('Seq Scan on request') && !node.endsWith('tombstone'))).toEqual([]);
  expect(nodes).toContain('Index Scan on request');
});

test('request list: those of a trace, in the order of the list', async () => {
  const { reader, store } = await aRequestStore();
  const traceId = 'a'.repeat(32);
  const running = aBeginning({ traceId, startedAt: timeOf(10) });
  const ended = [11, 12, 13].map((second) => aCompletion({ traceId, startedAt: timeOf(second) }));
  await store([running, ...ended, aCompletion(), aCompletion({ traceId: 'b'.repeat(32) })]);
  const read = async (filter: RequestFilter): Promise<string[]> => {
    const { requests } = await listRequests(reader, { filter, limit: 10 });
    return requests.map(({ id }) => id);
  };
  const newestFirst = ended.map(({ requestId }) => requestId).toReversed();
  expect(await read({ traceId })).toEqual([running.requestId, ...newestFirst]);
  expect(await read({ traceId, state: 'completed' })).toEqual(newestFirst);
  expect(await read({ traceId: 'c'.repeat(32) })).toEqual([]);
});
