import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { insertRuns, type RunRow } from '../../support/run-rows.ts';
import { createRunner } from '../../support/run-sluice.ts';

const hour = 3_600_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);

async function setUp(rows: readonly RunRow[]) {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const ids = await insertRuns(client, rows);
  const environment = { DATABASE_URL: databaseUrl };
  return { ids, client, environment, run: createRunner(environment) };
}

/** What would clear the screen and answer for the person, were it shown as it is. */
const hostile = 'E\u001b[2J\u009b5n\u202e';

test('executions: list filters and pages, over one strategy and over all, for people and for programs', async () => {
  const { run, ids } = await setUp([
    { strategyId: 's1', at: ago(4 * hour), caseName: 'A', points: 40 },
    { strategyId: 's1', at: ago(3 * hour), status: 'error', errorCode: hostile },
    { strategyId: 's2', at: ago(hour), caseName: 'B', points: 7.25, userId: 'u-2' },
    { strategyId: 's2', at: ago(hour / 2), status: 'timeout', errorCode: 'DSL_TIMEOUT' },
    { strategyId: 's1', at: ago(48 * hour), caseName: 'OLD' },
  ]);
  const [oldest, error, ok, timeout] = ids;
  const [all, failed, older, scored, some, none] = await Promise.all([
    run('executions', 'list'),
    run('executions', 'list', 's1', '--status', 'failed', '--code', hostile, '--json'),
    run('executions', 'list', '--since', '5h', '--until', '2h', '--json'),
    run('executions', 'list', '--points', '40', '--json'),
    run('executions', 'list', '--limit', '3', '--json'),
    run('executions', 'list', 's2', '--user', 'u-2', '--status', 'failed'),
  ]);
  expect(all.exitCode).toBe(0);
  expect(all.stdout.split('\n').map((line) => line.split(/ +/)[0])).toEqual(['id', timeout, ok, error, oldest]);
  expect(all.stdout).toMatch(/^id +recorded +status +strategy +points +case or error/);
  expect(all.stdout).toContain('E\\x1b[2J\\x9b5n\\u{202e}');
  expect(all.stdout).not.toMatch(/\p{Cc}(?<!\n)/u);
  expect(failed.json()).toMatchObject({ executions: [{ id: error, errorCode: hostile }], cursor: null });
  expect(older.json()).toMatchObject({ executions: [{ id: error }, { id: oldest }] });
  expect(scored.json()).toMatchObject({ executions: [{ id: oldest, points: 40 }] });
  expect(none.stdout).toBe('no executions');

  const first = some.json() as { executions: unknown[]; cursor: string };
  expect(first.executions).toMatchObject([{ id: timeout }, { id: ok }, { id: error }]);
  const next = await run('executions', 'list', '--limit', '3', '--cursor', first.cursor, '--json');
  expect(next.json()).toMatchObject({ executions: [{ id: oldest }], cursor: null });
});

test('executions: those of a trace are listed and exported, and one says its span', async () => {
  const traceId = 'a'.repeat(32);
  const { run, ids } = await setUp([
    { strategyId: 's1', at: ago(hour), traceId },
    { strategyId: 's2', at: ago(2 * hour), traceId },
    { strategyId: 's1', at: ago(hour), traceId: 'b'.repeat(32) },
    { strategyId: 's1', at: ago(hour) },
  ]);
  const [newer = '', older = ''] = ids;
  const [listed, ofOne, exported, shown, wrong] = await Promise.all([
    run('executions', 'list', '--trace-id', traceId.toUpperCase(), '--json'),
    run('executions', 'list', 's2', '--trace-id', traceId, '--json'),
    run('export', 'executions', '--trace-id', traceId),
    run('executions', 'show', newer),
    run('executions', 'list', '--trace-id', 'abc'),
  ]);
  expect(listed.json()).toMatchObject({
    executions: [
      { id: newer, traceId },
      { id: older, traceId },
    ],
    cursor: null,
  });
  expect(ofOne.json()).toMatchObject({ executions: [{ id: older }], cursor: null });
  const lines = exported.stdout.split('\n').map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { id: older, trace_id: traceId },
    { id: newer, trace_id: traceId },
  ]);
  expect(shown.stdout).toContain(`span        – of trace ${traceId}\n`);
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('It must be 32 hexadecimal digits') });
});

test('executions: show tells why, with the trace as a tree; what is not there fails, what is no id is a mistake', async () => {
  const trace = [
    { nodeId: 'r.literal.0', type: 'literal', value: true },
    { nodeId: 'r', type: 'rule', value: true, branch: 'match' },
    { nodeId: 'r.assign_points.0.literal.0', type: 'literal', value: 40 },
    { nodeId: 'r.assign_points.0', type: 'assign_points', value: 40, branch: 'match' },
  ];
  const { run, ids } = await setUp([{ strategyId: hostile, caseName: 'A', points: 40, sampleRate: 0.05, trace }]);
  const [id = ''] = ids;
  const [shown, json, unknown, noId] = await Promise.all([
    run('executions', 'show', id),
    run('executions', 'show', id, '--json'),
    run('executions', 'show', '00000000-0000-4000-8000-000000000000'),
    run('executions', 'show', 'seven'),
  ]);
  expect(shown.stdout).toContain('strategy    E\\x1b[2J\\x9b5n\\u{202e}, version 3, DSL_FULL');
  expect(shown.stdout).toContain('stands for  20 runs (sample rate 0.05)');
  expect(shown.stdout.split('\n').slice(-4)).toEqual([
    '└─ rule true (match)  r',
    '   ├─ literal true  r.literal.0',
    '   └─ assign_points 40 (match)  r.assign_points.0',
    '      └─ literal 40  r.assign_points.0.literal.0',
  ]);
  expect(json.json()).toMatchObject({ id, strategyId: hostile, points: 40, trace });
  expect(json.stdout).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no execution has the id') });
  expect(noId).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('UUID') });
});

test('executions: stats and compare weigh rows, say how many there are, and when they are too few', async () => {
  const runs = (strategyId: string, count: number, row: RunRow): RunRow[] =>
    Array.from({ length: count }, (_, n) => ({ strategyId, at: ago(hour + n * 60_000), ...row }));
  const { run } = await setUp([
    ...runs('a', 40, { sampleRate: 0.05, durationMs: 10, points: 5, caseName: 'WON' }),
    ...runs('a', 8, { status: 'error', errorCode: 'DSL_X', durationMs: 3 }),
    ...runs('b', 4, { durationMs: 30, points: 9 }),
  ]);
  const [text, json, compared, empty, wrong] = await Promise.all([
    run('executions', 'stats', 'a', '--since', '1d'),
    run('executions', 'stats', 'a', '--json'),
    run('executions', 'compare', 'a', 'b'),
    run('executions', 'stats', 'nobody'),
    run('executions', 'stats', 'a', '--since', 'tuesday'),
  ]);
  // 40 rows that stand for 20 runs each, and 8 failures that stand for themselves.
  expect(text.stdout).toContain('runs      808, from 48 stored rows');
  expect(text.stdout).toMatch(/failures {2}8, from 8 stored rows, 0\.99 % ± 0\.\d+ % of all runs$/m);
  expect(text.stdout).toMatch(/^runs +[▁-█·]+ max \d+$/m);
  expect(text.stdout).toMatch(/^failures +[▁-█·]+ max \d+$/m);
  expect(text.stdout).toMatch(/^ok +10 \(10 to 10\) +10 \(too few rows\) +10 \(too few rows\)$/m);
  expect(text.stdout).toMatch(/^DSL_X +8 +8$/m);
  expect(text.stdout).toMatch(/^WON +800 +40$/m);
  expect(json.json()).toMatchObject({ summary: { total: { rows: 48, runs: 808 } } });
  expect(compared.stdout).toMatch(/^stored rows +48 +4$/m);
  expect(compared.stdout).toMatch(/^failure rate +0\.99 % +0 % \(too few rows\) +-0\.99 pp$/m);
  expect(compared.stdout).toMatch(/^p50 ms, ok +10 +30 \(too few rows\) +\+20$/m);
  expect(empty).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no stored runs') });
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--since must be an age such as 30m') });
});

test('executions: tail tells of failures as they are stored, one a line, until Ctrl-C', async () => {
  const { client, environment } = await setUp([{ status: 'error', errorCode: 'BEFORE', at: ago(1_000) }]);
  const call = await startSluice(['executions', 'tail', '--failures', '--json', '--every', '50'], environment);
  await until(() => call.stdout.length === 1);
  await insertRuns(client, [
    { caseName: 'fine', at: new Date() },
    { status: 'limit', errorCode: hostile, at: new Date() },
  ]);
  await until(() => call.stdout.length === 2);
  call.kill('SIGINT');
  expect(await call.ended).toBe(0);
  expect(call.stdout.map((line) => JSON.parse(line).errorCode)).toEqual(['BEFORE', hostile]);
  expect(call.stdout.join('')).not.toMatch(/\p{Cc}/u);
});

test('executions: replay prints the request, posts it when told to, and says what came of it', async () => {
  const trace = [{ nodeId: 'f', type: 'field', value: 3, path: 'user.measurements_count' }];
  const { run, ids, client } = await setUp([{ strategyId: 's 1', caseName: 'A', points: 40, trace }, {}]);
  await client.query(
    `update strategy_execution_log set external_game_id = 'g', external_task_id = 't', input = '{"level":3}' where id = $1`,
    [ids[0]],
  );
  const [id = '', incomplete = ''] = ids;
  const requests: { url: string | undefined; key: unknown; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      requests.push({ url: request.url, key: request.headers['x-api-key'], body: JSON.parse(body) });
      const isRefused = request.url === '/refuse';
      response.statusCode = isRefused ? 400 : 200;
      response.end(isRefused ? `no\u001b[2J` : '{"points":41,"caseName":"A"}');
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await until(() => server.listening);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const expected = {
    externalGameId: 'g',
    externalTaskId: 't',
    externalUserId: 'user-1',
    data: { level: 3 },
    mockState: { 'user.measurements_count': 3 },
  };
  const printed = await run('executions', 'replay', id);
  expect(printed.json()).toEqual(expected);
  const [unasked, noHttp, missing] = await Promise.all([
    run('executions', 'replay', id, '--url', url),
    run('executions', 'replay', id, '--url', 'file:///etc/passwd', '--yes'),
    run('executions', 'replay', incomplete, '--url', url, '--yes'),
  ]);
  expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(noHttp).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('http://') });
  expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('The run had no externalGameId') });
  expect(requests).toEqual([]);

  const target = `${url}/strategies/custom/{id}/simulate`;
  const posted = await run('executions', 'replay', id, '--url', target, '--header', 'X-API-Key: k', '--yes');
  expect(requests).toEqual([{ url: '/strategies/custom/s%201/simulate', key: 'k', body: expected }]);
  expect(posted.exitCode).toBe(0);
  const [status, ...answer] = posted.stdout.split('\n');
  expect(status).toBe('status 200');
  expect(answer.at(-1)).toBe('recorded 40 points, case A; simulated 41 points, case A');
  const refused = await run('executions', 'replay', id, '--url', `${url}/refuse`, '--yes');
  expect(refused).toMatchObject({ exitCode: 1, stdout: 'status 400\nno\\x1b[2J' });
});

test('executions: list searches traces and inputs of a strategy, and says what it has looked through', async () => {
  const { run, ids } = await setUp([
    { at: ago(hour), trace: [{ nodeId: 'n1', value: 12 }] },
    { at: ago(2 * hour), trace: [{ nodeId: 'n1', value: 9 }] },
  ]);
  const [found, none, without, wrong] = await Promise.all([
    run('executions', 'list', 's1', '--node', 'n1', '--gave', '>= 10', '--json'),
    run('executions', 'list', 's1', '--input', 'user.streak = 4'),
    run('executions', 'list', '--node', 'n1'),
    run('executions', 'list', 's1', '--node', 'n1', '--gave', '{}'),
  ]);
  expect(found.json()).toMatchObject({ executions: [{ id: ids[0] }], cursor: null, searched: { executions: 2 } });
  expect(none.stdout).toMatch(/^no executions\n\nlooked through 2 runs, back to /);
  expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs a strategy') });
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('not an object') });
});
