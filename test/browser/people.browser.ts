import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { writeNames } from '../../names/write-names.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { until } from '../support/fixtures.ts';
import { aCompletion } from '../support/requests.ts';
import { insertDeadLetter, insertRun } from '../support/seed-console.ts';
import { aPage, untilAnswered } from './a-page.ts';
import { findSerious } from './axe.ts';
import { aStage } from './stage.ts';

const paramsOf = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);

/** Two instants that clocks in a zone show as the same time, and a time that they skip. */
const changes = [
  {
    zone: 'Europe/Berlin',
    instants: ['2025-10-26T00:30:00.000Z', '2025-10-26T01:30:00.000Z'],
    texts: ['2025-10-26 02:30:00 +02:00', '2025-10-26 02:30:00 +01:00'],
    skipped: '2025-03-30T02:30',
  },
  {
    zone: 'America/New_York',
    instants: ['2025-11-02T05:30:00.000Z', '2025-11-02T06:30:00.000Z'],
    texts: ['2025-11-02 01:30:00 -04:00', '2025-11-02 01:30:00 -05:00'],
    skipped: '2025-03-09T02:30',
  },
  {
    zone: 'Australia/Lord_Howe',
    instants: ['2025-04-05T14:45:00.000Z', '2025-04-05T15:15:00.000Z'],
    texts: ['2025-04-06 01:45:00 +11:00', '2025-04-06 01:45:00 +10:30'],
    skipped: '2025-10-05T02:15',
  },
] as const;

test.each(changes)(
  'window: in $zone, two instants that read the same are told apart, and stay when the form is submitted',
  async ({ zone, instants: [since, until_], texts, skipped }) => {
    const stage = await aStage();
    const middle = new Date((Date.parse(since) + Date.parse(until_)) / 2);
    await insertRun(stage.client, { recorded_at: middle, status: 'error', sampled: false, sample_rate: 1 });
    const { page, problems } = await aPage({ timezoneId: zone });
    await page.goto(`${stage.url}/?view=strategy&id=bonus&since=${since}&until=${until_}`);
    await page.getByText(`${texts[0]} to ${texts[1]}`).first().waitFor();
    const show = page.getByRole('button', { name: 'Show', exact: true });
    const summary = page.locator('.custom-window > summary');
    await summary.click();
    expect(await findSerious(page)).toEqual([]);
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(inject('pictures'), `window-${zone.replace('/', '-')}-${width}.png`) });
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    }
    await show.click();
    await show.waitFor({ state: 'hidden' });
    expect(paramsOf(page)).toMatchObject({ since, until: until_ });
    // The reader chooses the other one of the two.
    await summary.click();
    await page.getByLabel('To (empty: now): clocks show this time twice').selectOption({ index: 0 });
    await page.getByLabel('From', { exact: true }).fill('2025-01-02T03:04:05');
    await show.click();
    await until(() => paramsOf(page)['until'] === since);
    expect(new Date(paramsOf(page)['since'] ?? '').getTime()).toBeLessThan(Date.parse('2025-01-03T00:00:00Z'));
    // What clocks skip cannot be meant.
    await summary.click();
    await page.getByLabel('From', { exact: true }).fill(skipped);
    await show.click();
    expect(
      await page
        .getByLabel('From', { exact: true })
        .evaluate((input) => (input as unknown as { validationMessage: string }).validationMessage),
    ).toContain(zone);
    expect(paramsOf(page)).toMatchObject({ until: since });
    expect(problems).toEqual([]);
  },
);

test('window: times in tables, charts and details have their zone', async () => {
  const stage = await aStage();
  const failure = { recorded_at: new Date('2025-10-26T00:30:00Z'), status: 'error', sampled: false, sample_rate: 1 };
  const id = await insertRun(stage.client, failure);
  const { page } = await aPage({ timezoneId: 'Europe/Berlin' });
  const window = 'since=2025-10-25T00:00:00Z&until=2025-10-27T00:00:00Z';
  await page.goto(`${stage.url}/?view=strategy&id=bonus&${window}`);
  await page.locator('td, th').getByText('2025-10-26 02:30:00 +02:00').first().waitFor();
  await page.locator('details.values summary').first().click();
  const first = page.getByRole('table', { name: 'Status mix over time, values' }).getByRole('rowheader').first();
  expect(await first.textContent()).toMatch(/ \+02:00$/);
  await page.goto(`${stage.url}/?view=strategy&id=bonus&${window}&execution=${id}`);
  await page.getByRole('dialog').getByText('2025-10-26 02:30:00 +02:00').first().waitFor();
});

async function saveTable(page: Page, caption: string): Promise<{ name: string; text: string }> {
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: `Save as CSV: ${caption}` }).click();
  const download = await saved;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('tables: what one shows is saved as CSV, ids and names apart, formulas as texts and numbers as numbers', async () => {
  const stage = await aStage();
  const strategyId = '=HYPERLINK("http://x";"y")';
  await insertRun(stage.client, {
    ...{ strategy_id: strategyId, status: 'error', sampled: false, sample_rate: 1, duration_ms: 12.5 },
    ...{ error_code: '+CODE', error_message: 'one,\r\n"two"', external_user_id: '-5', nodes_executed: 1_234 },
    recorded_at: new Date(Date.now() - 60_000),
  });
  await insertRun(stage.client, { strategy_id: 'plain', sample_rate: 0.25 });
  await writeNames(stage.database, [{ kind: 'strategy', id: strategyId, name: '@name, of many' }]);
  const { page, problems } = await aPage();
  await page.goto(stage.url);
  const list = await saveTable(page, 'Strategies with their runs and failures');
  expect(list.name).toMatch(/^sluice-strategies-with-their-runs-and-failures-\d{4}-\d{2}-\d{2}T\d{6}\.csv$/);
  const [head, first, second, ...rest] = list.text.split('\r\n');
  expect(head).toBe('\uFEFFStrategy,Strategy name,Runs,Stored rows,Failed,Failure rate,Margin,Too few rows,Last run');
  expect(first).toMatch(
    /^"'=HYPERLINK\(""http:\/\/x"";""y""\)","'@name, of many",1,1,1,1,\d?[^,]*,true,\d{4}-\d{2}-\d{2}T[\d:.]+Z$/,
  );
  expect(second).toMatch(/^plain,,4,1,0,0,[^,]*,true,\d{4}-/);
  expect(rest).toEqual(['']);

  await page.goto(`${stage.url}/?view=strategy&id=${encodeURIComponent(strategyId)}`);
  const { text } = await saveTable(page, 'Executions, newest first');
  expect(text).toContain(
    'When,Execution,Status,Case,Points,Error code,Failed node,Message,User,Version,Duration (ms),Nodes\r\n',
  );
  expect(text).toMatch(/,error,first,10,'\+CODE,,"one,\r\n""two""",-5,3,12\.5,1234\r\n$/);
  expect(problems).toEqual([]);
});

test('saved views: a link keeps what is relative relative, and a named view comes back', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page, problems } = await aPage();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${stage.url}/?find=bo&order=runs`);
  await page.getByLabel('Pick bonus').check();
  await page.locator('.saved-views > summary').click();
  await page.getByRole('button', { name: 'Copy link to this view' }).click();
  await page.getByText('Copied a link to this view').waitFor();
  const link = String(await page.evaluate('navigator.clipboard.readText()'));
  expect(Object.fromEntries(new URL(link).searchParams)).toEqual({
    ...{ view: 'strategies', window: '24h', find: 'bo', order: 'runs', pickA: 'bonus' },
  });
  await page.getByLabel('Save this view as').fill('<b>Mine</b>');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved this view as “<b>Mine</b>”').waitFor();
  expect(await findSerious(page)).toEqual([]);
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(inject('pictures'), `saved-views-${width}.png`) });
    const { x = -1, width: wide = 0 } = (await page.locator('.saved-views .menu').boundingBox()) ?? {};
    expect([x >= 0, x + wide <= width]).toEqual([true, true]);
  }
  await page.goto(`${stage.url}/?view=requests`);
  await page.locator('.saved-views > summary').click();
  await page.getByRole('link', { name: '<b>Mine</b>' }).click();
  await page.getByRole('link', { name: 'bonus' }).waitFor();
  expect(paramsOf(page)).toMatchObject({ find: 'bo', order: 'runs', window: '24h' });
  expect(await page.getByLabel('Find by id or name').inputValue()).toBe('bo');
  expect(await page.getByLabel('Pick bonus').isChecked()).toBe(true);
  await page.goBack();
  await page.getByText('No requests', { exact: true }).waitFor();
  await page.goForward();
  await page.getByRole('link', { name: 'bonus' }).waitFor();
  await page.locator('.saved-views > summary').click();
  await page.getByRole('button', { name: 'Remove the view <b>Mine</b>' }).click();
  await page.getByText('Removed the view').waitFor();
  expect(await page.getByRole('list', { name: 'Saved views' }).getByRole('link').count()).toBe(0);
  // The link opens in a browser that has seen nothing of it, with parts of another version that it does not know.
  const other = await aPage();
  await other.page.goto(`${link}&colour=red&order2=x`);
  await other.page.getByRole('link', { name: 'bonus' }).waitFor();
  expect(await other.page.getByLabel('Pick bonus').isChecked()).toBe(true);
  expect([problems, other.problems]).toEqual([[], []]);
});

test.each([
  [
    'blocked',
    `Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })`,
  ],
  ['full', `Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); }`],
])('saved views: where the storage is %s, the page works and says that nothing is kept', async (_, script) => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page, problems } = await aPage();
  await page.addInitScript(script);
  await page.goto(stage.url);
  await page.locator('.saved-views > summary').click();
  await page.getByLabel('Save this view as').fill('mine');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('This browser does not keep anything').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('h1').click();
  await page.keyboard.press('?');
  await page.getByLabel('Keys are on').uncheck();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.keyboard.press('2');
  expect(paramsOf(page)).toEqual({});
  expect(problems).toEqual([]);
});

test('saved views: what others have written into the storage breaks nothing', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  for (const stored of [
    '{',
    '{"a":1}',
    '[1,null,{"name":"x"},{"name":"ok","search":"?view=fleet"},{"name":"js","search":"javascript:x"}]',
  ]) {
    const { page, problems } = await aPage();
    await page.addInitScript(`localStorage.setItem('sluice views /', ${JSON.stringify(stored)})`);
    await page.goto(stage.url);
    await page.locator('.saved-views > summary').click();
    const links = page.getByRole('list', { name: 'Saved views' }).getByRole('link');
    expect(await links.allTextContents()).toEqual(stored.includes('"ok"') ? ['ok'] : []);
    expect(problems).toEqual([]);
  }
});

test('keys: lead to views, windows, rows and the search, but not while somebody types', async () => {
  const stage = await aStage();
  for (const strategy_id of ['s1', 's2', 's3']) await insertRun(stage.client, { strategy_id });
  const { page, problems } = await aPage();
  await page.goto(stage.url);
  await page.getByRole('link', { name: 's1' }).waitFor();
  const focused = () => page.evaluate('document.activeElement.textContent');
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await help.getByText('Go to the next row of a table').waitFor();
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'keys.png') });
  // Not under an open dialog.
  await page.keyboard.press('2');
  expect(paramsOf(page)).toEqual({});
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });
  const rows = await page.locator('tbody th a').allTextContents();
  await page.keyboard.press('j');
  expect(await focused()).toBe(rows[0]);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  expect(await focused()).toBe(rows[1]);
  await page.keyboard.press('w');
  await until(() => paramsOf(page)['window'] === '7d');
  await page.keyboard.press('Shift+W');
  await page.keyboard.press('Shift+W');
  await until(() => paramsOf(page)['window'] === '1h');
  await page.keyboard.press('/');
  await page.keyboard.type('s2?1w');
  await until(() => paramsOf(page)['find'] === 's2?1w');
  expect(paramsOf(page)).toMatchObject({ window: '1h' });
  await page.locator('h1').focus();
  await page.keyboard.press('2');
  await page.getByRole('heading', { level: 1, name: 'Compare' }).waitFor();
  // Turned off, they stay off until they are turned on again.
  await page.getByRole('button', { name: 'Keys of this page' }).click();
  await page.getByLabel('Keys are on').uncheck();
  await page.keyboard.press('Escape');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Compare' }).waitFor();
  await page.keyboard.press('1');
  expect(paramsOf(page)).toMatchObject({ view: 'compare' });
  expect(problems).toEqual([]);
});

/** Each place twice, with axe: on a machine that is busy otherwise it takes longer than other tests may. */
const manyPlacesMs = 300_000;

test('names: are shown beside ids in every view, as texts, and fit', { timeout: manyPlacesMs }, async () => {
  const stage = await aStage();
  const attack = '<img src=x onerror="window.attacked=1">';
  const names = {
    strategy: `${attack} \u202egnol yrev \u2067abc`,
    creator: `${'Very long name '.repeat(13)}!`,
  };
  const executionId = await insertRun(stage.client, { status: 'error', sampled: false, sample_rate: 1 });
  const now = new Date().toISOString();
  const completion = aCompletion({ createdBy: 'creator-1', startedAt: now, completedAt: now });
  await storeRequests(stage.database, JSON.stringify([completion]));
  const deadLetterId = await insertDeadLetter(stage.client);
  await writeNames(stage.database, [
    { kind: 'strategy', id: 'bonus', name: names.strategy },
    { kind: 'creator', id: 'creator-1', name: names.creator },
  ]);
  const places = [
    ['/', names.strategy],
    ['/?view=strategy&id=bonus', names.strategy],
    [`/?view=strategy&id=bonus&execution=${executionId}`, names.strategy],
    ['/?view=compare&a=bonus&b=other', names.strategy],
    ['/?view=requests', names.creator],
    [`/?view=requests&request=${completion.requestId}`, names.creator],
    [`/?view=dead-letters&dead-letter=${deadLetterId}`, names.strategy],
  ] as const;
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [400, 'dark'],
  ] as const) {
    const { page, problems } = await aPage({ viewport: { width, height: 900 }, colorScheme });
    for (const [index, [href, name]] of places.entries()) {
      await page.goto(stage.url + href);
      const shown = page.locator('bdi.display-name').filter({ visible: true });
      await shown.first().waitFor();
      expect((await shown.allTextContents()).every((text) => text === name)).toBe(true);
      await untilAnswered(page);
      expect([href, await findSerious(page)]).toEqual([href, []]);
      expect([href, await page.evaluate('document.documentElement.scrollWidth - innerWidth')]).toEqual([href, 0]);
      await page.screenshot({ path: join(inject('pictures'), `names-${width}-${index}.png`), fullPage: true });
    }
    expect(await page.evaluate('window.attacked')).toBeUndefined();
    expect(problems).toEqual([]);
  }
});
