import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { insertPrices, insertRequests } from '../../support/request-rows.ts';
import { aBeginning, aCompletion, aRequestStore } from '../../support/requests.ts';
import { createRunner } from '../../support/run-sluice.ts';

const secret = 'the patient\u001b[2J is';
const hostile = 'm\u001b[31m';

async function setUp(records: readonly unknown[]) {
  const { databaseUrl, client, store, rows } = await aRequestStore();
  await store(records);
  return { databaseUrl, run: createRunner({ DATABASE_URL: databaseUrl }), client, store, rows };
}

test('requests: list and show leave bodies out unless they are asked for, and show nothing to the terminal itself', async () => {
  const failed = aCompletion({
    statusCode: 500,
    responseBody: secret,
    model: 'm\u001b[31m',
    startedAt: '2026-03-01T11:00:00.000Z',
  });
  const running = aBeginning({ requestBody: secret });
  const { run } = await setUp([failed, running]);
  const [list, filtered, hidden, hiddenJson, bodies] = await Promise.all([
    run('requests', 'list'),
    run(
      'requests',
      'list',
      '--status',
      '5xx',
      '--since',
      '2026-03-01T11:00:00Z',
      '--until',
      '2026-03-01T12:00:00Z',
      '--json',
    ),
    run('requests', 'show', failed.requestId),
    run('requests', 'show', failed.requestId, '--json'),
    run('requests', 'show', failed.requestId, '--bodies'),
  ]);
  expect(list.stdout.split('\n').map((line) => line.split(/ +/).toSpliced(1, 1).slice(0, 3))).toEqual([
    ['id', 'state', 'status'],
    [running.requestId, 'processing', '–'],
    [failed.requestId, 'failed', '500'],
  ]);
  expect(list.stdout).toContain('m\\x1b[31m');
  expect(filtered.json()).toMatchObject({ requests: [{ id: failed.requestId, responseStatus: 500 }], cursor: null });
  for (const { exitCode, stdout } of [list, filtered, hidden, hiddenJson]) {
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('patient');
    expect(stdout).not.toContain('hello');
  }
  expect(hiddenJson.json()).toMatchObject({ state: 'failed', response: { status: 500, bytes: secret.length } });
  expect(bodies.stdout).toContain('--- response body\nthe patient\\x1b[2J is\n---');
  expect(bodies.stdout).toContain('"input":"hello"');
  expect(bodies.stdout).toMatch(/^error .*patient/m);
  expect(bodies.stdout + list.stdout).not.toContain('\u001b');
});

test('requests: delete takes one away for good; of another creator it is not found', async () => {
  const mine = aCompletion({ createdBy: 'me' });
  const { run, rows, store } = await setUp([mine]);
  const [notYours, unknown] = await Promise.all([
    run('requests', 'delete', mine.requestId, '--created-by', 'you'),
    run('requests', 'show', randomUUID()),
  ]);
  expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no request has the id') });
  expect(notYours).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('nothing was deleted') });
  expect(await rows()).toHaveLength(1);
  const deleted = await run('requests', 'delete', mine.requestId, '--json');
  expect(deleted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(deleted.json()).toEqual({ id: mine.requestId, deletion: 'deleted' });
  expect(await store([mine])).toEqual(['tombstoned']);
});

test('requests: erase asks first, and where nobody can be asked wants --yes; then all of the creator goes', async () => {
  const creator = 'org\u001b[2J 7';
  const ofThem = Array.from({ length: 5 }, () => aCompletion({ createdBy: creator, requestId: randomUUID() }));
  const other = aCompletion({ createdBy: 'other' });
  const { run, rows, store } = await setUp([...ofThem, other]);
  const [dry, unasked, nobody] = await Promise.all([
    run('requests', 'erase', creator, '--dry-run', '--json'),
    run('requests', 'erase', creator),
    run('requests', 'erase', ' ', '--yes'),
  ]);
  expect(dry.json()).toEqual({ wouldErase: 5 });
  expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('creator is empty') });
  expect(await rows()).toHaveLength(6);

  const erased = await run('requests', 'erase', creator, '--yes', '--chunk', '2', '--json');
  expect(erased.exitCode).toBe(0);
  expect(erased.json()).toEqual({ requests: 5, deadLetters: 0, isDone: true });
  expect((await rows()).map((row) => row.created_by)).toEqual(['other']);
  expect(await store(ofThem.slice(0, 1))).toEqual(['tombstoned']);
});

test('requests: those of a trace are listed, and one says its span', async () => {
  const traced = aCompletion({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
  const { run } = await setUp([traced, aCompletion()]);
  const [list, shown, wrong] = await Promise.all([
    run('requests', 'list', '--trace-id', 'A'.repeat(32), '--json'),
    run('requests', 'show', traced.requestId),
    run('requests', 'list', '--trace-id', 'abc'),
  ]);
  expect(list.json()).toMatchObject({ requests: [{ id: traced.requestId, traceId: 'a'.repeat(32) }] });
  expect(shown.stdout).toContain(`span        ${'b'.repeat(16)} of trace ${'a'.repeat(32)}\n`);
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('It must be 32 hexadecimal digits') });
});

test('requests: stats and compare print figures for people and for programs', async () => {
  const { run, client } = await setUp([]);
  await insertPrices(client, [{ model: 'm-1', input: '1', output: '2' }]);
  const at = new Date(Date.now() - 60_000);
  await insertRequests(client, [
    { at, input: 1_000_000, output: 250_000, latencyMs: 40 },
    { at, input: 10, output: 10, model: hostile },
    { at, status: 503 },
    { at, state: 'processing' },
    { at: new Date(Date.now() - 30 * 3_600_000) },
  ]);
  const [stats, json, models, windows, wrong, half] = await Promise.all([
    run('requests', 'stats', '--by', 'model', '--sort', 'cost'),
    run('requests', 'stats', '--status', '5xx', '--since', '1h', '--json'),
    run('requests', 'compare', 'm-1', hostile, '--json'),
    run('requests', 'compare'),
    run('requests', 'stats', '--by', 'colour'),
    run('requests', 'compare', 'm-1'),
  ]);
  expect(stats).toMatchObject({ exitCode: 0, stderr: '' });
  expect(stats.stdout).toContain('requests  4: 1 processing, 2 completed, 1 failed\n');
  expect(stats.stdout).toContain('1.50 USD');
  expect(stats.stdout).toContain('1 without a price');
  expect(stats.stdout).toMatch(/^model +requests +failed/m);
  expect(stats.stdout).toContain('m\\x1b[31m');
  expect(stats.stdout).toContain('what failed last');
  expect(stats.stdout).not.toMatch(/\p{Cc}(?<!\n)/u);
  expect(json.json()).toMatchObject({ summary: { requests: 1 }, groups: null });
  expect(models.json()).toMatchObject({ a: { model: 'm-1', requests: 3 }, b: { model: hostile, requests: 1 } });
  expect(windows.stdout).toMatch(/^requests +1 +4 +\+3$/m);
  expect(wrong.exitCode).toBe(2);
  expect(half).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('name two models') });
});

test('requests: list searches the text of bodies, shows none, and says what it has looked through', async () => {
  const { run } = await setUp([
    aCompletion({ requestBody: secret, startedAt: '2026-03-01T11:00:00.000Z' }),
    aCompletion({ requestBody: 'else' }),
  ]);
  const [found, json, none] = await Promise.all([
    run('requests', 'list', '--text', 'the patient'),
    run('requests', 'list', '--text', 'patient', '--limit', '1', '--json'),
    run('requests', 'list', '--text', 'Patient'),
  ]);
  expect(found.exitCode).toBe(0);
  expect(found.stdout).toContain('looked through 2 requests');
  expect(found.stdout).not.toContain('patient');
  expect(json.json()).toMatchObject({ requests: [expect.anything()], cursor: null, searched: { requests: 2 } });
  expect(none.stdout).toContain('no requests\n');
});

test('requests: tail follows ends, and ends itself when asked to', async () => {
  const { client, databaseUrl } = await setUp([]);
  await insertRequests(client, [{ model: 'before', at: new Date(Date.now() - 1_000) }]);
  const tail = await startSluice(['requests', 'tail', '--every', '50'], { DATABASE_URL: databaseUrl });
  await until(() => tail.stdout.join('\n').includes('before'));
  await insertRequests(client, [{ model: 'next', at: new Date(), status: 503 }]);
  await until(() => tail.stdout.join('\n').includes('next'));
  tail.kill('SIGINT');
  expect(await tail.ended).toBe(0);
  expect(tail.stdout.at(-1)).toMatch(/ failed +503 {2}next /);
});
