import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { toExecutionRecord } from '../../producers/executions/execution-record.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { anExecution } from '../support/execution.ts';
import { fillShards } from '../support/filled-shards.ts';
import { openQueue, until } from '../support/fixtures.ts';
import { aCompletion } from '../support/requests.ts';
import { insertDeadLetter, insertRun } from '../support/seed-console.ts';
import { startObserver } from '../support/started-observer.ts';
import { startWorker } from '../support/worker.ts';
import { untilAnswered } from './a-page.ts';
import { findSerious } from './axe.ts';
import { busiest, second, storeDemoRuns } from './demo-data.ts';
import { aStage, fill } from './stage.ts';

const strategyAddress = (id: string): string => `/?view=strategy&id=${encodeURIComponent(id)}`;

/** Goes on with Tab until what has the focus is matched. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 100; pressed += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return;
  }
  throw new Error(`Tab does not get to ${selector}`);
}

const executionList = 'section[aria-labelledby="card-executions"]';

/** Of the rows of the list of executions. */
async function listedIds(page: Page): Promise<string[]> {
  await untilAnswered(page);
  return page.evaluate(
    `[...document.querySelectorAll('${executionList} tbody th a')].map(({ href }) => new URL(href).searchParams.get('execution'))`,
  );
}

const focusedHref = (page: Page): Promise<unknown> => page.evaluate('document.activeElement?.getAttribute("href")');

test('a failure: found, opened, read and closed with the keyboard alone; the focus comes back', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page, problems } = await stage.openPage();
  await page.goto(stage.url + strategyAddress(busiest));
  await page.getByRole('heading', { name: 'Newest failures' }).waitFor();
  await tabTo(page, 'a[href*="execution="]');
  const opened = await focusedHref(page);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Execution' });
  await dialog.getByText('failed here').waitFor();
  expect(new URL(page.url()).searchParams.get('execution')).not.toBeNull();
  const failed = dialog.locator('li.failed > * > .tree-line, li.failed > .tree-line').first();
  expect(await failed.textContent()).toContain('tier.compare.0');
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'execution-wide-light.png') });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await focusedHref(page)).toBe(opened);
  await until(() => !page.url().includes('execution='));
  expect(problems).toEqual([]);
});

test('a failure: its address opens it at once, and its replay body is copied as it stands', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { rows } = await stage.client.query(
    `select id, input, external_user_id from strategy_execution_log where strategy_id = $1 and status <> 'ok' limit 1`,
    [busiest],
  );
  const read = { nodeId: 'x.field.0', type: 'field', value: 7, path: 'user.level' };
  await stage.client.query('update strategy_execution_log set trace = trace || $2::jsonb where id = $1', [
    rows[0].id,
    JSON.stringify(read),
  ]);
  const { page, problems } = await stage.openPage({
    viewport: { width: 400, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await page.goto(`${stage.url}${strategyAddress(busiest)}&execution=${rows[0].id}`);
  await page.getByRole('button', { name: 'Copy the replay body' }).click();
  await page.getByText('Copied the replay body').waitFor();
  const copied = JSON.parse(String(await page.evaluate('navigator.clipboard.readText()')));
  expect(copied).toMatchObject({ externalUserId: rows[0].external_user_id, data: rows[0].input });
  // What the event brought stays in `data`; what was read elsewhere is mocked under its path.
  expect(copied.mockState).toEqual({ 'user.level': 7 });
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'execution-narrow-light.png') });
  expect(problems).toEqual([]);
});

test('the first view: what failed last opens there, whichever strategy it was', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page, problems } = await stage.openPage();
  await page.goto(stage.url);
  const newest = await stage.database.strategyExecutionLog.findMany({
    where: { status: { not: 'ok' } },
    orderBy: [{ recordedAt: 'desc' }, { id: 'desc' }],
    take: 5,
  });
  const failures = page.locator(`${executionList} tbody tr`);
  await until(async () => (await failures.count()) === newest.length);
  await failures.first().getByRole('link').first().click();
  await page
    .getByRole('dialog')
    .getByText(newest[0]?.id ?? '')
    .first()
    .waitFor();
  expect(problems).toEqual([]);
});

test('a trace: its branches close and open with the keyboard', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page } = await stage.openPage({ colorScheme: 'dark' });
  await page.goto(`${stage.url}${strategyAddress(busiest)}&status=ok`);
  await page.locator('a[href*="execution="]').first().click();
  const branch = page.locator('.tree details').first();
  await branch.waitFor();
  await page.screenshot({ path: join(inject('pictures'), 'execution-wide-dark.png') });
  await branch.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  expect(await branch.getAttribute('open')).toBeNull();
  await page.keyboard.press('Enter');
  expect(await branch.getAttribute('open')).toBe('');
});

test('a long trace: what failed in it is one key away, also where it was closed', async () => {
  const stage = await aStage();
  const trace = Array.from({ length: 400 }, (_, n) => ({
    nodeId: `n.and.0.compare.${n}`,
    type: 'compare',
    value: true,
  }));
  const id = await insertRun(stage.client, {
    status: 'error',
    sampled: false,
    sample_rate: 1,
    failed_node_id: 'n.and.0.compare.400',
    trace: JSON.stringify(trace),
    trace_length: 400,
  });
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}${strategyAddress('bonus')}&execution=${id}`);
  const failed = page.locator('.tree .failed > .tree-line');
  await failed.waitFor();
  await page.locator('.tree summary').first().click();
  await failed.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Show it in the trace' }).press('Enter');
  await failed.waitFor();
  const box = await failed.boundingBox();
  expect([box !== null && box.y > 0 && box.y < 900, await failed.textContent()]).toEqual([
    true,
    expect.stringContaining('failed here'),
  ]);
  expect(problems).toEqual([]);
});

test('filters and window: stand in the address, survive a reload, and go back with the browser', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page, problems } = await stage.openPage();
  await page.goto(stage.url + strategyAddress(busiest));
  await page.getByRole('link', { name: '7 d' }).click();
  await page.getByLabel('Status', { exact: true }).selectOption('ok');
  await page.getByRole('heading', { name: 'Newest executions' }).waitFor();
  await page.getByRole('link', { name: 'GOLD' }).click();
  await until(() => page.url().includes('case=GOLD'));
  const address = new URL(page.url()).searchParams;
  expect(Object.fromEntries(address)).toEqual({
    view: 'strategy',
    id: busiest,
    window: '7d',
    status: 'ok',
    case: 'GOLD',
  });
  await page.reload();
  expect(await page.getByLabel('Case', { exact: true }).inputValue()).toBe('GOLD');
  const cases = page.locator(`${executionList} tbody td[data-column="What happened"] b`);
  await untilAnswered(page);
  expect(new Set(await cases.allTextContents())).toEqual(new Set(['GOLD']));
  await page.goBack();
  const caseField = page.getByLabel('Case', { exact: true });
  await until(async () => (await caseField.inputValue()) === '');
  // Also in the field that has the focus.
  await caseField.fill('SILVER');
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('case=SILVER'));
  await page.goBack();
  await until(async () => (await caseField.inputValue()) === '');
  // By points: what failed has none, so it is ok runs that are meant.
  const runs = { strategyId: busiest, status: 'ok' };
  const newest = await stage.database.strategyExecutionLog.findFirst({ where: runs, orderBy: { recordedAt: 'desc' } });
  const { id = '', points = 0 } = newest ?? {};
  await page.getByRole('link', { name: 'Clear' }).click();
  await page.getByRole('spinbutton', { name: 'Points' }).fill(String(points));
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('points='));
  const alike = await stage.database.strategyExecutionLog.count({ where: { ...runs, points } });
  const listed = await listedIds(page);
  expect([listed.length, listed.includes(id)]).toEqual([Math.min(alike, 25), true]);
  expect(problems).toEqual([]);
});

test('a trace: an execution leads to all executions of its trace, and these to its requests', async () => {
  const stage = await aStage();
  const traceId = 'a1'.repeat(16);
  const ofTrace = { trace_id: traceId, span_id: 'b2'.repeat(8) };
  const before = new Date(Date.now() - 120_000);
  const ids = [
    await insertRun(stage.client, ofTrace),
    await insertRun(stage.client, { ...ofTrace, strategy_id: 'another', recorded_at: before }),
  ];
  await insertRun(stage.client);
  const now = { startedAt: new Date().toISOString(), completedAt: new Date().toISOString() };
  const requests = [
    aCompletion({ ...now, traceId, createdBy: 'of-the-trace' }),
    aCompletion({ ...now, createdBy: 'stranger' }),
  ];
  await storeRequests(stage.database, JSON.stringify(requests));
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?execution=${ids[0]}`);
  const dialog = page.getByRole('dialog', { name: 'Execution' });
  await dialog.getByText(ofTrace.span_id).waitFor();
  await dialog.getByRole('link', { name: traceId }).click();
  await page.getByRole('heading', { name: 'Executions of the trace' }).waitFor();
  expect(await listedIds(page)).toEqual(ids);
  expect(await findSerious(page)).toEqual([]);
  await page.getByRole('link', { name: 'Its requests' }).click();
  const creators = page.locator('td[data-column="Creator"]');
  await until(async () => (await creators.allTextContents()).join() === 'of-the-trace');
  const field = page.getByLabel('Trace id');
  await field.fill('');
  await page.keyboard.press('Enter');
  await until(async () => (await creators.count()) === 2);
  await page.goto(`${stage.url}${strategyAddress('bonus')}&status=all`);
  await field.fill(traceId.toUpperCase());
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('trace='));
  expect(await listedIds(page)).toEqual([ids[0]]);
  expect(problems).toEqual([]);
});

test('a chart: a part of its time is drawn over and becomes the window, and the way back is one step', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page, problems } = await stage.openPage();
  await page.goto(stage.url + strategyAddress(busiest));
  const plot = page.locator('.u-over').first();
  const { x, y, width } = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  await page.mouse.move(x + width / 2, y + 50);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.75, y + 50, { steps: 3 });
  await page.mouse.up();
  await until(() => page.url().includes('until='));
  const { since, until: end } = Object.fromEntries(new URL(page.url()).searchParams);
  const hours = (Date.parse(end ?? '') - Date.parse(since ?? '')) / 3_600_000;
  expect(hours).toBeGreaterThan(5);
  expect(hours).toBeLessThan(7);
  // A link to where the page is already adds nothing to go back through.
  await page.getByRole('link', { name: '7 d' }).dblclick();
  await page.goBack();
  await until(() => page.url().includes('until='));
  await page.goBack();
  await until(() => !page.url().includes('until='));
  expect(problems).toEqual([]);
});

test('pages: the next one begins after the last row of the one before, and the first can be gone back to', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 1_500);
  const { page } = await stage.openPage();
  await page.goto(`${stage.url}${strategyAddress(busiest)}&status=all`);
  const times = page.locator(`${executionList} tbody time`);
  await times.first().waitFor();
  const seen = await listedIds(page);
  await page.getByRole('link', { name: 'Next page' }).click();
  await page.getByRole('link', { name: 'First page' }).waitFor();
  const next = await listedIds(page);
  expect([seen, next].map((ids) => ids.length)).toEqual([25, 25]);
  expect(new Set([...seen, ...next]).size).toBe(50);
  // Another filter begins at the first page, and that is up to now.
  await page.getByLabel('Status', { exact: true }).selectOption('ok');
  await until(() => page.url().includes('status=ok'));
  expect(page.url()).not.toMatch(/cursor|pageUntil/);
});

test('two strategies: picked in the list, compared with deltas and verdicts, swapped', async () => {
  const stage = await aStage();
  await storeDemoRuns(stage.database, 3_000);
  const { page, problems } = await stage.openPage();
  await page.goto(stage.url);
  const failed = page.locator('td[data-column="Failed"]');
  await failed.first().waitFor();
  const counts = (await failed.allTextContents()).map((text) => Number(text.replaceAll(/\D/g, '')));
  expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  await page.getByLabel(`Pick ${busiest}`).check();
  await page.getByLabel(`Pick ${second}`).check();
  await page.getByRole('link', { name: 'Compare the two' }).click();
  const row = page.getByRole('row', { name: 'Mean points' });
  await row.waitFor();
  const read = async () => row.getByRole('cell').allTextContents();
  const [a, b, delta, verdict] = await read();
  expect(Number(delta?.replace('−', '-'))).toBeCloseTo(Number.parseFloat(b ?? '') - Number.parseFloat(a ?? ''), 0);
  expect(verdict).toMatch(/^(Better|Worse)/);
  await page.getByRole('link', { name: 'Swap' }).click();
  await until(async () => (await read())[0] === b);
  expect((await read())[3]).toMatch(verdict?.startsWith('Better') ? /^Worse/ : /^Better/);
  expect(problems).toEqual([]);
});

test('dead letters: one is replayed and stored by a worker, others are discarded, each after a question', async () => {
  const stage = await aStage();
  await fill(stage);
  const nowMs = Date.now();
  const { json } = toExecutionRecord(anExecution({ strategyId: 'came-back' }), {
    nowMs,
    sampleRate: 1,
    traceLimit: 200,
    maxBytes: 65_536,
  });
  const id = await insertDeadLetter(stage.client, {
    payload: json,
    signature: 'mended meanwhile',
    reason: 'mended meanwhile',
  });
  await startWorker(stage.databaseUrl, stage.namespace);
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=dead-letters`);
  await page.getByRole('button', { name: 'Replay 1 dead letter of mended meanwhile' }).click();
  const question = page.getByRole('dialog');
  await question.getByRole('button', { name: 'Cancel' }).waitFor();
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'confirm-wide-light.png') });
  // The first answer has the focus, and it is no.
  await page.keyboard.press('Enter');
  await question.waitFor({ state: 'detached' });
  const state = async (): Promise<string> => {
    const { rows } = await stage.client.query('select state from dead_letter where id = $1', [id]);
    return rows[0].state;
  };
  expect(await state()).toBe('open');
  await page.getByRole('button', { name: 'Replay 1 dead letter of mended meanwhile' }).click();
  await question.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('1 put back into the queue').waitFor();
  await until(async () => (await state()) === 'stored');
  const { rows } = await stage.client.query(
    `select count(*)::int as n from strategy_execution_log where strategy_id = 'came-back'`,
  );
  expect(rows).toEqual([{ n: 1 }]);

  await page.getByRole('button', { name: 'Discard 3 dead letters of schema durationMs: Invalid input' }).click();
  await question.getByRole('button', { name: 'Discard' }).click();
  await page.getByText('3 discarded').waitFor();
  await page.getByLabel('State', { exact: true }).selectOption('discarded');
  await page.locator('td[data-column="State"]', { hasText: 'discarded' }).first().waitFor();
  expect(problems).toEqual([]);
});

test('a dead letter: opens with its payload, and closes with a click beside it', async () => {
  const stage = await aStage();
  await insertDeadLetter(stage.client, { payload: '{"durationMs":12345678901234567890,"notes":"to the last digit"}' });
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=dead-letters`);
  await page.locator('a[href*="dead-letter="]').first().click();
  const dialog = page.getByRole('dialog', { name: 'Dead letter' });
  await dialog.getByText('12345678901234567890').waitFor();
  await page.mouse.click(40, 400);
  await dialog.waitFor({ state: 'hidden' });
  await until(() => !page.url().includes('dead-letter='));
  expect(problems).toEqual([]);
});

test('a request: opens with what it says, and with its bodies', async () => {
  const stage = await aStage();
  await fill(stage);
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=requests&creator=creator-1`);
  await page.locator('a[href*="request="]').first().click();
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.getByRole('heading', { name: 'Conversation' }).waitFor();
  await dialog.getByText('Raw text').first().click();
  await dialog.getByText('"model":"').first().waitFor();
  expect(await findSerious(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test('Bull Board: the last chunks that were stored are there, with their records', async () => {
  const stage = await aStage();
  await startWorker(stage.databaseUrl, stage.namespace);
  const queue = openQueue(stage.namespace);
  startObserver(stage.namespace).record(anExecution({ caseName: 'Kept' }));
  const [job] = await until(async () => {
    const jobs = await queue.getCompleted();
    return jobs.length > 0 && jobs;
  });
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/queues/queue/execution-log?status=completed`);
  await page
    .getByText(job?.id ?? '')
    .first()
    .waitFor();
  // What is in a record is folded.
  await page.getByText('recordCount').first().waitFor();
  await page.screenshot({ path: join(inject('pictures'), 'bull-board-completed.png') });
  expect(problems).toEqual([]);
});

test('Bull Board: a queue is paused there, and the fleet says so', async () => {
  const stage = await aStage();
  const queue = openQueue(stage.namespace);
  await queue.add('chunk', { v: 1, producer: 'demo', epoch: 'e', seq: 1, records: [] });
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/queues/queue/execution-log`);
  // The menu has no name.
  await page.locator('main button[aria-haspopup="menu"]').first().click();
  await page.getByRole('menuitem', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Confirm' }).click();
  await until(() => queue.isPaused());
  await page.screenshot({ path: join(inject('pictures'), 'bull-board.png') });
  await page.goto(`${stage.url}/?view=fleet`);
  await page.locator('section', { hasText: 'execution-log' }).getByText('paused').waitFor();
  expect(problems).toEqual([]);
});

test('fleet: a queue of several shards is one card, which shows each shard on demand', async () => {
  const stage = await aStage();
  const [, second] = await fillShards(stage.namespace, [1, 2, 0, 3]);
  await second?.pause();
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=fleet`);
  const card = page.locator('section', { hasText: 'execution-log' });
  await card.getByText('6 waiting, 0 active, 0 delayed').waitFor();
  const table = card.getByRole('table', { name: 'Shards of execution-log' });
  expect(await table.isVisible()).toBe(false);
  await card.getByText('3 shards').click();
  await table.getByRole('row', { name: /^execution-log-1 paused 2 0 0 0 / }).waitFor();
  expect(await table.getByRole('row').count()).toBe(4);
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'shards.png'), fullPage: true });
  // It stays open when the page is refreshed, with what is new.
  await fillShards(stage.namespace, [0, 0, 0, 0, 5]);
  await table.getByRole('row', { name: /^execution-log-4 open 5 / }).waitFor();
  // The other queue has one, of which nothing is to be said.
  expect(await page.getByText(/shards$/).count()).toBe(1);
  await table.getByRole('link', { name: 'execution-log-4' }).click();
  await page.getByText('execution-log-4').first().waitFor();
  expect(problems).toEqual([]);
});

test('accounts: a gap is read down to its chunk, with the keyboard, and the mark on a strategy leads to it', async () => {
  const stage = await aStage();
  await fill(stage);
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}${strategyAddress(busiest)}`);
  await page.getByText('records of this window have no row').waitFor();
  await tabTo(page, '.absent a');
  await page.keyboard.press('Enter');
  await page.getByText(/^120 records are missing/).waitFor();
  const gaps = page.getByRole('table', { name: 'Gaps in the numbers of chunks' });
  const row = gaps.getByRole('row').filter({ hasText: 'scoring-with-a-gap' });
  expect(await row.locator('[data-column=Chunks]').textContent()).toBe('7');
  expect(await row.locator('[data-column=Records]').textContent()).toBe('120');
  await page.getByRole('table', { name: 'Producers that ended without a word' }).getByText('0 to 60').waitFor();
  await page.getByText('6 min 40 s ahead').waitFor();
  // The chart's values are a table, too.
  await tabTo(page, '.values summary');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'The balance over time, values' }).getByText('120').first().waitFor();
  expect(await findSerious(page)).toEqual([]);
  await page.getByRole('searchbox', { name: 'Producer' }).fill('scoring-well');
  await page.keyboard.press('Enter');
  await page.getByText(/^The books balance/).waitFor();
  expect(new URL(page.url()).searchParams.get('producer')).toBe('scoring-well');
  expect(problems).toEqual([]);
});
